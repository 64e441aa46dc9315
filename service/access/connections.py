"""Limits of connections before a request is whole: bytes of headers, seconds, and their number.

All of it happens before anybody is authenticated, so nothing of a request is trusted here. Where nobody reads
an answer, the connection is closed, too.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.access.proxies import Proxies
from service.settings import ApiSettings
from worker.broker.problems import http_problem

MOST_HEAD_BYTES = 64 * 1024  # of the request line and all headers
HEAD_S = 20.0  # from the connection, or a request's first byte, to the end of its headers
QUIET_S = 30.0  # without a byte of the body
BODY_S = 900.0  # 20 MB at 25 kB a second
BURST_S = 2.0  # many connections may come at once, if their requests follow
MOST_DESCRIPTORS = 2**20
RESERVED = 64  # descriptors for Redis, files and the like
UNREAD_S = 60.0  # without a byte of the answer read
LINGER_S = 1.0  # for a client to read why it is refused
LOG_EVERY_S = 10.0

_log = structlog.get_logger(__name__)


def raise_descriptors() -> int:
    """Let this process open as many files and sockets as the system lets it; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


@dataclass
class Door:
    """Limits and counts that all connections of this process share."""

    most_unfinished: int
    """Connections of an address that may be without a whole request."""
    most_open: int
    """Connections that may be open."""
    proxies: Proxies
    """Those that may have any number of them."""
    unfinished: Counter[str] = field(default_factory=Counter)
    _refused: Counter[str] = field(default_factory=Counter)
    _logged_at: float = -LOG_EVERY_S

    def is_crowded(self, address: str) -> bool:
        """Return whether an address has more connections without a whole request than it may."""
        return self.unfinished[address] > self.most_unfinished and address not in self.proxies

    def note(self, reason: str, address: str) -> None:
        """Log a refusal; of many, one line every few seconds with their number."""
        self._refused[reason] += 1
        now = time.monotonic()
        if now - self._logged_at >= LOG_EVERY_S:
            self._logged_at = now
            _log.warning("connections refused", address=address, **dict(self._refused))
            self._refused.clear()


class Connection(HttpToolsProtocol):
    """A connection that is closed where its request doesn't come as it should."""

    door: Door

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None
        self._is_unfinished = self._is_refused = False
        self._await_head()
        if len(self.connections) > self.door.most_open:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open: try again soon.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._finish()
        self._forget_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read the next bytes, of the headers no more than there may be."""
        self._last_byte = self.loop.time()
        while data and not (self._is_refused or self.transport.is_closing()):
            fits = MOST_HEAD_BYTES - self._head_bytes if self._in_head else len(data)
            if fits == 0:
                detail = f"The headers have more than the {MOST_HEAD_BYTES} bytes that they may have together."
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
                return
            part, data = data[:fits], data[fits:]
            super().data_received(part)
            if self._in_head:
                self._head_bytes += len(part)

    def on_message_begin(self) -> None:
        """Begin a request."""
        if not self._is_unfinished:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Go on with the body."""
        self._in_head = False
        self._since = self.loop.time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a whole request: from here on it is the application's."""
        self._finish()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._unread = self.transport.get_write_buffer_size()
        self._reader_timer = self.loop.call_later(UNREAD_S, self._look_at_reader)

    def resume_writing(self) -> None:
        """Write on."""
        self._forget_reader()
        super().resume_writing()

    def _look_at_reader(self) -> None:
        """Close the connection whose client reads nothing at all."""
        unread = self.transport.get_write_buffer_size()
        if unread >= self._unread:
            self.door.note("unread_answers", self._address)
            self.transport.abort()
        else:
            self._unread = unread
            self._reader_timer = self.loop.call_later(UNREAD_S, self._look_at_reader)

    def _forget_reader(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def _await_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._since = self._last_byte = self.loop.time()
        self._is_unfinished = True
        self.door.unfinished[self._address] += 1
        # Not all at the same moment: to refuse a thousand takes some tenths of a second.
        self._timer = self.loop.call_later(BURST_S * random.uniform(1, 1.5), self._look)  # noqa: S311

    def _finish(self) -> None:
        self._in_head = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_unfinished:
            self._is_unfinished = False
            self.door.unfinished[self._address] -= 1
            if self.door.unfinished[self._address] <= 0:
                del self.door.unfinished[self._address]

    def _look(self) -> None:
        """Look whether the request comes as it should; again and again, until it is whole."""
        now = self.loop.time()
        if self.door.is_crowded(self._address):
            most = self.door.most_unfinished
            detail = f"More than {most} connections of this address are without a whole request."
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, detail)
        elif self._in_head and now - self._since >= HEAD_S:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The headers didn't come within {HEAD_S:g} s.")
        elif not self._in_head and self._is_too_slow(now):
            detail = f"The body didn't come: {QUIET_S:g} s without a byte, or {BODY_S:g} s in all."
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, detail)
        else:
            self._timer = self.loop.call_later(BURST_S, self._look)

    def _is_too_slow(self, now: float) -> bool:
        if self.flow.read_paused:  # it is the application that reads slowly
            self._last_byte = now
        return now - self._last_byte >= QUIET_S or now - self._since >= BODY_S

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer, unless the application does so already, and close the connection."""
        self.door.note(status.phrase.lower().replace(" ", "_"), self._address)
        self._finish()
        self._is_refused = True
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_answer(status, detail))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)  # closed at once, what was sent meanwhile loses the answer


def connections(settings: ApiSettings) -> type[Connection]:
    """Return the protocol of this process's connections."""
    door = Door(
        most_unfinished=settings.max_unfinished,
        most_open=raise_descriptors() - RESERVED,
        proxies=Proxies(settings.trusted_proxies or ()),
    )
    return type("Connection", (Connection,), {"door": door})


def _answer(status: HTTPStatus, detail: str) -> bytes:
    problem: dict[str, Any] = http_problem(status, detail).model_dump()
    body = json.dumps(problem).encode()
    head = [
        STATUS_LINE[status],
        b"content-type: application/problem+json\r\n",
        f"content-length: {len(body)}\r\n".encode(),
        b"retry-after: 5\r\nconnection: close\r\n\r\n",
    ]
    return b"".join([*head, body])
