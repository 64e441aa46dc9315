"""`Prefer: wait=N` (RFC 7240): the response waits until the job is done, for N seconds at most."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.concurrency import run_in_threadpool

from service.access.turns import turn_of
from service.deps import Services, SettingsDep
from worker.broker.contract import JobRecord

_POLL_S = 0.2
_WAIT = re.compile(r'\s*wait\s*=\s*"?(\d{1,9})"?\s*(;.*)?', re.IGNORECASE)


def parse_wait(values: list[str], *, most: int) -> int | None:
    """Return the seconds of the first `wait`, cut to `most`; None without one. What can't be read is ignored."""
    preferences = (preference for value in values for preference in value.split(","))
    for preference in preferences:
        match = _WAIT.fullmatch(preference)
        if match:
            return min(int(match[1]), most)
    return None


async def _wait_s(
    request: Request,
    settings: SettingsDep,
    prefer: Annotated[
        str | None,
        Header(
            description="`wait=N` answers with the finished job if it is done within N seconds (cut to the operator's "
            "limit, 60 by default), else with the job as it is then.",
            examples=["wait=30"],
        ),
    ] = None,
) -> int | None:
    return parse_wait(request.headers.getlist("prefer"), most=settings.max_wait_s)


WaitDep = Annotated[int | None, Depends(_wait_s)]


async def wait_until_final(
    request: Request, record: JobRecord, read: Callable[[str], JobRecord], seconds: float
) -> JobRecord:
    """Read the record until it is final, the time is up, the client has left or the API stops.

    Neither a thread nor the client's turn is held while nothing happens.
    """
    stopping, turn = Services.of(request.app).stopping, turn_of(request)
    deadline = time.monotonic() + seconds
    while not record.state.is_final and time.monotonic() < deadline and not stopping.is_set():
        if await request.is_disconnected():
            break
        async with turn.resting():
            await asyncio.sleep(min(_POLL_S, max(0.0, deadline - time.monotonic())))
        record = await run_in_threadpool(read, record.id)
    return record
