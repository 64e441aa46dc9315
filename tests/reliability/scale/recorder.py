"""Recorder of the commands that a process sends to Redis, to be sent again for other jobs."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from redis.asyncio.connection import AbstractConnection as AsyncConnection
from redis.connection import AbstractConnection

MOST_BYTES = 20_000_000
_HANDSHAKE = re.compile(rb"\*\d+\r\n\$\d+\r\n(HELLO|AUTH|CLIENT|SELECT|PING|SCRIPT)\r\n")


class Sent(NamedTuple):
    """Commands that were sent at once: one, or a pipeline of them."""

    at: float
    """Seconds, on the process's monotonic clock."""
    thread: str
    data: bytes


class Recorder:
    """Recorder of what this process sends, until it has `MOST_BYTES`; beginnings of connections are left out."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._bytes = 0
        self._send = AbstractConnection.send_packed_command
        self._send_async = AsyncConnection.send_packed_command

    def install(self) -> None:
        """Record from now on."""

        def send(connection: AbstractConnection, command: Any, check_health: bool = True) -> None:
            self._send(connection, self._noted(command), check_health)

        async def send_async(connection: AsyncConnection, command: Any, check_health: bool = True) -> None:
            await self._send_async(connection, self._noted(command), check_health)

        AbstractConnection.send_packed_command = send  # type: ignore[method-assign]
        AsyncConnection.send_packed_command = send_async  # type: ignore[method-assign]

    def remove(self) -> None:
        """Record no more."""
        AbstractConnection.send_packed_command = self._send  # type: ignore[method-assign]
        AsyncConnection.send_packed_command = self._send_async  # type: ignore[method-assign]

    def save(self, path: Path) -> None:
        """Write what was recorded, for `read_recorded`."""
        path.write_text(json.dumps([[one.at, one.thread, base64.b64encode(one.data).decode()] for one in self.sent]))

    def _noted(self, command: bytes | str | Iterable[bytes | str]) -> list[bytes]:
        parts = [command] if isinstance(command, bytes | str) else list(command)
        encoded = [part.encode() if isinstance(part, str) else part for part in parts]
        data = b"".join(encoded)
        if self._bytes < MOST_BYTES and not _HANDSHAKE.match(data):
            self._bytes += len(data)
            self.sent.append(Sent(time.monotonic(), threading.current_thread().name, data))
        return encoded


def read_recorded(path: Path) -> list[Sent]:
    """Return what a `Recorder` has saved."""
    return [Sent(at, thread, base64.b64decode(data)) for at, thread, data in json.loads(path.read_text())]


def commands_in(data: bytes) -> list[list[bytes]]:
    """Return the commands that were sent at once, each as its words (Redis's protocol: arrays of bulk strings)."""
    found, at = [], 0
    while at < len(data):
        count, at = _number(data, at)
        words = []
        for _ in range(count):
            length, at = _number(data, at)
            words.append(data[at : at + length])
            at += length + 2
        found.append(words)
    return found


def packed(words: Sequence[bytes]) -> bytes:
    """Return a command as it is sent."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of a line such as ``*3``, and where the next one begins."""
    end = data.index(b"\r\n", at)
    return int(data[at + 1 : end]), end + 2
