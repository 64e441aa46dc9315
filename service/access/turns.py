"""Concurrency limit per client: a few of its requests at a time, so that none holds up all others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import cast
from weakref import WeakValueDictionary

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.errors import RateLimited
from service.http.prefix import FOR_MACHINES, path_of
from service.http.problems import respond

from .caller import client_of
from .keys import KeyRing

AT_ONCE = 8  # the threads that compute for one client take the interpreter from the event loop in turn
MOST_WAITING = 2000  # requests of a client


class Line:
    """The requests of one client; inside its ``async with`` block, one of them has its turn."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @property
    def is_full(self) -> bool:
        """True where no further request may wait."""
        return self._waiting >= MOST_WAITING

    async def __aenter__(self) -> None:
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.release()


class Turn:
    """The turn of one request, from its head to the first byte of its answer.

    Args:
        line: of its client.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self._is_held = self._is_over = False

    async def take(self) -> None:
        """Wait for it, unless it is over."""
        if self._is_over:
            return
        await self.line.__aenter__()
        self._is_held = True
        if self._is_over:  # meanwhile
            await self._give_back()

    async def end(self) -> None:
        """Let the next one have it for good."""
        self._is_over = True
        await self._give_back()

    @asynccontextmanager
    async def resting(self) -> AsyncIterator[None]:
        """Let others have it inside the ``async with`` block, where this request waits for what takes no time here."""
        await self._give_back()
        try:
            yield
        finally:
            await self.take()

    async def _give_back(self) -> None:
        if self._is_held:
            self._is_held = False
            await self.line.__aexit__(None, None, None)


def turn_of(request: Request) -> Turn:
    """Return the turn of a request."""
    return cast("Turn", request.state.turn)


def install(app: FastAPI, keys: KeyRing) -> None:
    """Let the requests to `app` take turns, each owner of one of the `keys` apart."""
    app.add_middleware(_TakeTurns, keys=keys)


class _TakeTurns:
    def __init__(self, app: ASGIApp, *, keys: KeyRing) -> None:
        self._app = app
        self._keys = keys
        self._lines: WeakValueDictionary[str, Line] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or path_of(scope) in FOR_MACHINES:
            await self._app(scope, receive, send)
            return
        line = self._lines.setdefault(client_of(Request(scope), self._keys), Line())
        if line.is_full:
            await _too_many()(scope, receive, send)
            return
        turn = Turn(line)
        scope.setdefault("state", {})["turn"] = turn
        await turn.take()
        try:
            await self._app(scope, _resting(turn, receive), _until_answered(turn, send))
        finally:
            await turn.end()


def _too_many() -> Response:
    error = RateLimited(f"{MOST_WAITING} requests of this client wait already: wait for their answers.")
    return respond(error.problem, {"Retry-After": "1"})


def _resting(turn: Turn, receive: Receive) -> Receive:
    """Return a `receive` of the body; the request rests while it waits for more of it."""
    more = True

    async def rest_and_receive() -> Message:
        nonlocal more
        if not more:
            return await receive()
        async with turn.resting():
            message = await receive()
        more = bool(message.get("more_body"))
        return message

    return rest_and_receive


def _until_answered(turn: Turn, send: Send) -> Send:
    async def send_and_end(message: Message) -> None:
        await turn.end()
        await send(message)

    return send_and_end
