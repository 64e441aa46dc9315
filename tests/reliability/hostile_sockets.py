"""Attacks by connections: many are held, headers have no end or hardly come, answers are not read."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from service.access.connections import raise_descriptors

from .hostile_requests import Target, finished
from .posting import picture, tiny_params
from .raw_http import LOST, Connection, read_head, request, send

STREAMS = 1000
IDLE = 1100
DEAF = 60
HEADER_MB = (1, 40, 100)
HEADERS = 6
SPARE_DESCRIPTORS = 200
DRIP_S = 0.5
LONG = 9999
_MB_OF_HEADERS = b"x-long: " + b"a" * 1_000_000 + b"\r\n"

Tally = Counter[str]
"""Counts of each status that came, or of `LOST`."""
Act = Callable[[Tally], Awaitable[None]]
"""The attack itself, until it is cancelled."""


async def run_for(act: Act, seconds: float) -> Tally:
    """Attack for so many seconds."""
    tally = Tally()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await act(tally)
    return tally


async def nothing(target: Target) -> Act:
    """Do nothing, to compare with."""

    async def act(tally: Tally) -> None:
        await asyncio.Event().wait()

    return act


async def streams(target: Target) -> Act:
    """Post a job that runs for long; then watch it by as many event streams as there may be."""
    connection, params = target.connection(), tiny_params(iterations=10_000) | {"areas": [0.05, 0.1, 0.2, 0.4]}
    job = (await connection.ask(target.form(("image", picture(1)), ("reuse", "false"), params=params))).json()
    watching = target.get(job["links"]["events"])

    async def watch(connection: Connection, tally: Tally) -> None:
        reader, writer = await connection.open()
        writer.write(watching)
        status, _ = await read_head(reader)
        tally[status] += 1
        while await reader.read(2**16):
            pass

    return _held(target, STREAMS, [watch])


async def deaf(target: Target) -> Act:
    """Let a job of a large image be made; then request all its files at once, and read nothing of them."""
    post = target.form(("image", picture(2, side=2000)))
    job = await finished(target, target.connection(), post)
    asking = target.get(job["links"]["bundle"])

    async def ask(connection: Connection, tally: Tally) -> None:
        _, writer = await connection.open()
        writer.write(asking)
        tally["asked"] += 1
        await asyncio.Event().wait()

    return _held(target, DEAF, [ask])


async def headers(target: Target) -> Act:
    """Send headers of 1, 40 and 100 MB."""
    head = request("GET", "/v1/jobs", key=target.key)[:-2]
    sizes = itertools.cycle(HEADER_MB)

    async def ask(connection: Connection, tally: Tally) -> None:
        reader, writer = await connection.open()
        async with _answer(reader, tally) as answer:
            writer.write(head)
            for _ in range(next(sizes)):
                await send(writer, _MB_OF_HEADERS)
                if answer.done():
                    break

    return _held(target, HEADERS, [ask])


async def idle(target: Target, *, count: int = IDLE) -> Act:
    """Open connections that say nothing, or half a request byte by byte: its head, or its body."""
    head = request("GET", "/v1/jobs", headers={"x-slow": "a" * LONG}, key=target.key)
    kind = {"content-type": "application/json", "content-length": str(LONG)}
    body = request("POST", "/v1/jobs", headers=kind, key=target.key)

    def dripping(text: bytes, at_once: int) -> _Use:
        async def drip(connection: Connection, tally: Tally) -> None:
            reader, writer = await connection.open()
            async with _answer(reader, tally) as answer:
                writer.write(text[:at_once])
                for k in range(at_once, len(text)):
                    if (await asyncio.wait([answer], timeout=DRIP_S))[0]:
                        break
                    writer.write(text[k : k + 1])

        return drip

    return _held(target, count, [dripping(b"", 0), dripping(head, 4), dripping(body + bytes(LONG), len(body))])


_Use = Callable[[Connection, Tally], Awaitable[None]]


@asynccontextmanager
async def _answer(reader: asyncio.StreamReader, tally: Tally) -> AsyncIterator[asyncio.Task[None]]:
    """Read an answer while a request is sent, and wait for it after that."""

    async def read() -> None:
        try:
            tally[(await read_head(reader))[0]] += 1
        except (OSError, EOFError):
            tally[LOST] += 1

    task = asyncio.create_task(read())
    try:
        yield task
        await task
    finally:
        task.cancel()


def _held(target: Target, count: int, uses: list[_Use]) -> Act:
    """Return an attack by so many connections, fewer where fewer may be open; each is used again when it has ended."""
    most = min(count, raise_descriptors() - SPARE_DESCRIPTORS)

    async def hold(use: _Use, tally: Tally) -> None:
        connection = target.connection()
        while True:
            try:
                await use(connection, tally)
            except (OSError, EOFError):
                tally[LOST] += 1
            connection.close()

    async def act(tally: Tally) -> None:
        async with asyncio.TaskGroup() as group:
            for _, use in zip(range(most), itertools.cycle(uses), strict=False):
                group.create_task(hold(use, tally))

    return act
