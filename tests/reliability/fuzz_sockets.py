"""Connections that break the protocol: each gets an error, or is closed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial

from service.access.connections import BURST_S, HEAD_S

from . import hostile_sockets as sockets
from .hostile_requests import Target
from .raw_http import LOST
from .report import Line, Report
from .stack import Stack

SOME_S = 5.0
FEW = 60  # fewer than an address may have


def measure_sockets(result: Report, line: Line, stack: Stack) -> None:
    """Send headers that are far too long; over many connections and over a few, next to nothing."""
    target = Target(stack.ports[0], key="", source="127.0.0.1")
    _measure(result, line, target, "long headers", sockets.headers, SOME_S, {"431"})
    _measure(result, line, target, "many idle connections", sockets.idle, SOME_S, {"429"})
    few = partial(sockets.idle, count=FEW)
    _measure(result, line, target, "few idle connections", few, HEAD_S + 2 * BURST_S, {"408"})


def _measure(
    result: Report,
    line: Line,
    target: Target,
    what: str,
    prepare: Callable[[Target], Awaitable[sockets.Act]],
    seconds: float,
    wanted: set[str],
) -> None:
    async def attack() -> sockets.Tally:
        return await sockets.run_for(await prepare(target), seconds)

    with line.counting(what, round(seconds)):
        tally = asyncio.run(attack())
    met = wanted <= set(tally) <= wanted | {LOST}
    result.check(f"{what}: answers", json.dumps(tally), f"{', '.join(sorted(wanted))} or {LOST}", met=met)
