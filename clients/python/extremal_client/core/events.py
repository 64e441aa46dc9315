"""Server-sent events, as their bytes come in (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Message:
    """A server-sent event."""

    kind: str
    data: Any
    """Its JSON."""
    id: str | None


class EventParser:
    """Reads messages out of pieces of a stream."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, piece: bytes) -> Iterator[Message]:
        """Yield the messages that a piece completes; comments and what has no data are passed over."""
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            if line:
                name, _, value = line.decode().partition(":")
                before = f"{self._fields[name]}\n" if name == "data" and name in self._fields else ""
                self._fields[name] = before + value.removeprefix(" ")
                continue
            done, self._fields = self._fields, {}
            if "data" in done:
                yield Message(done.get("event", "message"), json.loads(done["data"]), done.get("id"))
