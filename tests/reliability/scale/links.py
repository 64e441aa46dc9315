"""Connections of the simulation: a recorded unit is sent for another job, and its answers are counted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis

from .recorder import commands_in

Then = Callable[[Any], None]
"""Called with the last answer to a unit."""


class Unit:
    """Unit with gaps for what is each job's own.

    Args:
        data: as it was recorded.
        own: the texts in it that are the job's own.
    """

    def __init__(self, data: bytes, own: Sequence[bytes]) -> None:
        self.answers = len(commands_in(data))
        places = {text: k for k, text in enumerate(own)}
        parts = re.split(b"(" + b"|".join(map(re.escape, own)) + b")", data)
        self._parts = [places.get(part, part) for part in parts]

    def of(self, own: Sequence[bytes]) -> bytes:
        """Return it for another job, whose own texts are in the same order."""
        return b"".join([own[part] if isinstance(part, int) else part for part in self._parts])


class Link(asyncio.Protocol):
    """Connection; one unit at a time.

    Args:
        note: called with every answer.
        lost: called when it ends.
    """

    def __init__(self, note: Then, lost: Callable[[], None]) -> None:
        self._note = note
        self._lost = lost
        self._reader = hiredis.Reader()
        self._left = 0
        self._then: Then = bool

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def ask(self, data: bytes, answers: int, then: Then) -> None:
        """Send a unit; `then` is called when all of so many answers are there."""
        self._left, self._then = answers, then
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Count answers."""
        self._reader.feed(data)
        while self._left and (answer := self._reader.gets()) is not False:
            self._left -= 1
            self._note(answer)
            if self._left == 0:
                self._then(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell that it has ended."""
        self._lost()


def in_turn(link: Link, units: list[Unit], own: list[bytes], then: Callable[[], None]) -> None:
    """Send units one after the other, each when the one before is answered."""
    left = iter(units)

    def step(_: Any = None) -> None:
        unit = next(left, None)
        if unit is None:
            then()
        else:
            link.ask(unit.of(own), unit.answers, step)

    step()


class Info:
    """State of Redis, from `INFO everything`."""

    def __init__(self, text: str) -> None:
        said = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        self.cpu_s = float(said["used_cpu_user_main_thread"]) + float(said["used_cpu_sys_main_thread"])
        self.commands = int(said["total_commands_processed"])
        self.used_memory = int(said["used_memory"])
        self.aof_bytes = int(said.get("aof_current_size", 0))
        spent = {name: int(said[name].split("usec=")[1].split(",")[0]) for name in said if name.startswith("cmdstat_")}
        self.scripts_s = sum(spent.get(name, 0) for name in ("cmdstat_eval", "cmdstat_evalsha")) / 1e6
