"""Flows with asyncio's calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

import httpx

from extremal_client.core.steps import Course, Emit, Feed, Flow, Listen, Pause, Read, Send, Step

from .http import QUIET_S, decoded, encoded, losses
from .methods import present

P = ParamSpec("P")
T = TypeVar("T")


class AsyncTransport:
    """Runs flows; any number at a time, in one event loop.

    Args:
        http: the client to send with; by default one is made, and closed by `aclose`.
    """

    def __init__(self, http: httpx.AsyncClient | None = None) -> None:
        self._http = http or httpx.AsyncClient()
        self._is_own = http is None

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and return its value; what it emits is dropped."""
        course = Course(flow)
        async with _Connections(self._http) as connections:
            step = course.advance()
            while step is not None:
                step = await connections.take(step, course)
        return course.value

    async def iterate(self, feed: Feed[T]) -> AsyncIterator[T]:
        """Run a flow and yield what it emits."""
        course = Course(feed)
        try:
            async with _Connections(self._http) as connections:
                step = course.advance()
                while step is not None:
                    if isinstance(step, Emit):
                        yield step.value
                    step = await connections.take(step, course)
        finally:
            course.close()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._is_own:
            await self._http.aclose()


class _Connections:
    """One flow's connections: its stream is closed at the end."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._stream: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hang_up()

    async def take(self, step: Step, course: Course[Any]) -> Step | None:
        """Take a step and return the next one."""
        try:
            with losses():
                outcome = await self._outcome(step)
        except BaseException as error:
            return course.advance(error=error)
        return course.advance(outcome)

    async def _outcome(self, step: Step) -> object:
        match step:
            case Send(request):
                response = await self._http.send(encoded(self._http, request))
                return decoded(response, response.content)
            case Listen(request):
                await self._hang_up()
                self._stream = await self._http.send(encoded(self._http, request, quiet_s=QUIET_S), stream=True)
                self._pieces = self._stream.aiter_bytes()
                is_stream = self._stream.status_code == httpx.codes.OK
                return decoded(self._stream, b"" if is_stream else await self._stream.aread())
            case Read():
                return b"" if self._pieces is None else await anext(self._pieces, b"")
            case Pause(seconds):
                await asyncio.sleep(seconds)
        return None

    async def _hang_up(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()
            self._stream = None


class Awaiting(Protocol):
    """What has flows and a transport to run them."""

    _core: Any
    _transport: AsyncTransport


def awaited(flow: Callable[Concatenate[Any, P], Flow[T]]) -> Callable[Concatenate[Any, P], Awaitable[T]]:
    """Return the coroutine function that runs a flow of `_core` and returns its value."""

    async def run(owner: Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await owner._transport.run(flow(owner._core, *args, **kwargs))

    present(run, flow, returns="{}", file="AsyncFile")
    return run


def awaited_feed(feed: Callable[Concatenate[Any, P], Feed[T]]) -> Callable[Concatenate[Any, P], AsyncIterator[T]]:
    """Return the method that runs a flow of `_core` and yields what it emits."""

    def run(owner: Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return owner._transport.iterate(feed(owner._core, *args, **kwargs))

    present(run, feed, returns="AsyncIterator[{}]", file="AsyncFile")
    return run
