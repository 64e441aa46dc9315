"""One hostile client in a process of its own, so that its work isn't the measuring client's.

`python -m tests.reliability.hostile_client NAME PORT KEY SECONDS` prepares, says "ready", waits for a line, attacks for
so many seconds, and prints how often it was answered with each status (JSON).
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import uvloop

from . import hostile_images as images
from . import hostile_requests as requests
from . import hostile_server
from . import hostile_sockets as sockets
from .client_process import READY
from .hostile_requests import Target
from .hostile_sockets import Act, Tally

SOURCE = "127.0.0.2"  # another address than the other tenant's
CONNECTIONS = 16
MORE_CONNECTIONS = 64  # where each request is cheap


@dataclass(frozen=True)
class Attack:
    """A way in which a client can be hostile."""

    what: str
    prepare: Callable[[Target], Awaitable[Act]]
    """Prepares the attack, and returns it."""


def _looped(
    make: Callable[[Target], list[bytes] | Awaitable[list[bytes]]], connections: int = CONNECTIONS
) -> Callable[[Target], Awaitable[Act]]:
    """Return an attack by requests that are sent in turn over so many connections."""

    async def prepare(target: Target) -> Act:
        made = make(target)
        messages = await made if inspect.isawaitable(made) else made

        async def repeat(first: int, tally: Tally) -> None:
            connection, turn = target.connection(), first
            while True:
                tally[(await connection.ask(messages[turn % len(messages)])).status] += 1
                turn += 1

        async def act(tally: Tally) -> None:
            async with asyncio.TaskGroup() as group:
                for first in range(connections):
                    group.create_task(repeat(first, tally))

        return act

    return prepare


async def _bad_urls(target: Target) -> list[bytes]:
    return requests.bad_urls(target, await hostile_server.start(target.source))


ATTACKS = {
    "none": Attack("nothing at all, to compare with", sockets.nothing),
    "areas": Attack("JSON with lists of a million entries", _looped(requests.long_lists)),
    "scans": Attack(
        "progressive JPEGs of up to 20 MB of scans", _looped(requests.files(images.scans_jpeg, images.full_scans_jpeg))
    ),
    "bombs": Attack("batches of images of one colour", _looped(requests.batches(images.plain_webp, images.plain_png))),
    "deep_png": Attack("49 megapixels of 16 bits", _looped(requests.files(images.deep_png))),
    "tiff_pages": Attack("20,000 pages", _looped(requests.files(images.pages_tiff))),
    "gif_frames": Attack(
        "5,000 to 1.3 million frames", _looped(requests.files(images.frames_gif, images.full_frames_gif))
    ),
    "mixed": Attack(
        "50 megapixels in CMYK, by a palette, of noise",
        _looped(requests.files(images.cmyk_jpeg, images.palette_png, images.noise_jpeg)),
    ),
    "large": Attack("batches of 80 MB", _looped(requests.batches(images.noise_jpeg, count=5))),
    "streams": Attack("1,000 event streams", sockets.streams),
    "headers": Attack("headers of 1, 40 and 100 MB", sockets.headers),
    "idle": Attack("1,100 connections that say nothing, or next to nothing", sockets.idle),
    "deaf": Attack("60 bundles that nobody reads", sockets.deaf),
    "urls": Attack("images at slow, silent, endless addresses", _looped(_bad_urls)),
    "wrong_keys": Attack("keys that are none", _looped(requests.wrong_keys, MORE_CONNECTIONS)),
    "forms": Attack("forms of many parts, of giant ones", _looped(requests.odd_forms)),
    "lists": Attack("pages of jobs, bundles, pictures", _looped(requests.results, MORE_CONNECTIONS)),
    "classify": Attack("queries for classes", _looped(requests.classify, 2 * MORE_CONNECTIONS)),
}
"""All attacks by their names."""


async def _attack(name: str, target: Target, seconds: float) -> Tally:
    act = await ATTACKS[name].prepare(target)
    print(READY, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    return await sockets.run_for(act, seconds)


def main(name: str, port: str, key: str, seconds: str) -> None:
    """Attack, and print the tally."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_attack(name, Target(int(port), key, SOURCE), float(seconds)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
