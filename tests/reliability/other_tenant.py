"""Another tenant in a process of its own: posts a photograph and polls a job, again and again, and times the answers.

`python -m tests.reliability.other_tenant PORT KEY SECONDS` says "ready", waits for a line, and prints what came (JSON).
Requests are sent by the clock, whether or not those before are answered, so that a slow answer hides no other.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field

import uvloop

from .client_process import READY
from .posting import tiny_params
from .raw_http import Connection, post_form, request
from .stack import SAMPLES

POST_EVERY_S = 0.25
POLL_EVERY_S = 0.05
PATIENCE_S = 30.0
WARM_UP = 5
LATE = "late"
"""In place of a status: no answer within `PATIENCE_S`."""


@dataclass
class Timings:
    """Times and statuses of one kind of request."""

    ms: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    def quantile(self, share: float) -> float:
        """Return the milliseconds within which that share of the answers came; infinite where there are none."""
        ordered = sorted(self.ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


class _Sender:
    """Sends one request by the clock, over as many connections as it takes."""

    def __init__(self, port: int, message: bytes) -> None:
        self._port = port
        self._message = message
        self._free: list[Connection] = []
        self.timings = Timings()

    async def go(self, *, every_s: float, seconds: float) -> None:
        """Send until the time is up, and wait for the answers."""
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.TaskGroup() as group:
            for k in range(int(seconds / every_s)):
                await asyncio.sleep(began + k * every_s - clock())
                group.create_task(self._ask())

    async def _ask(self) -> None:
        connection = self._free.pop() if self._free else Connection(self._port)
        began = time.perf_counter()
        try:
            status = (await asyncio.wait_for(connection.ask(self._message), PATIENCE_S)).status
        except TimeoutError:
            connection.close()
            status = LATE
        self.timings.ms.append(1000 * (time.perf_counter() - began))
        self.timings.statuses[status] = self.timings.statuses.get(status, 0) + 1
        self._free.append(connection)


async def _measure(port: int, key: str, seconds: float) -> dict[str, Timings]:
    photo = (SAMPLES / "goose.jpg").read_bytes()
    parts = [("image", photo), ("params", json.dumps(tiny_params(iterations=2))), ("reuse", "false")]
    post = post_form("/v1/jobs", parts, key=key)
    connection = Connection(port)
    for _ in range(WARM_UP):
        job = (await connection.ask(post)).json()
        poll = request("GET", job["links"]["self"], key=key)
        await connection.ask(poll)
    connection.close()
    print(READY, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    posts, polls = _Sender(port, post), _Sender(port, poll)
    async with asyncio.TaskGroup() as group:
        group.create_task(posts.go(every_s=POST_EVERY_S, seconds=seconds))
        group.create_task(polls.go(every_s=POLL_EVERY_S, seconds=seconds))
    return {"posts": posts.timings, "polls": polls.timings}


def main(port: str, key: str, seconds: str) -> None:
    """Measure, and print what came."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        timings = runner.run(_measure(int(port), key, float(seconds)))
    print(json.dumps({kind: asdict(one) for kind, one in timings.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
