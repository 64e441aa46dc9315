"""Flows with blocking calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

import httpx

from extremal_client.core.steps import Course, Emit, Feed, Flow, Listen, Pause, Read, Send, Step

from .http import QUIET_S, decoded, encoded, losses
from .methods import present

P = ParamSpec("P")
T = TypeVar("T")


class Transport:
    """Runs flows; may be used by several threads at a time.

    Args:
        http: the client to send with; by default one is made, and closed by `close`.
    """

    def __init__(self, http: httpx.Client | None = None) -> None:
        self._http = http or httpx.Client()
        self._is_own = http is None

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and return its value; what it emits is dropped."""
        course = Course(flow)
        with _Connections(self._http) as connections:
            step = course.advance()
            while step is not None:
                step = connections.take(step, course)
        return course.value

    def iterate(self, feed: Feed[T]) -> Iterator[T]:
        """Run a flow and yield what it emits."""
        course = Course(feed)
        try:
            with _Connections(self._http) as connections:
                step = course.advance()
                while step is not None:
                    if isinstance(step, Emit):
                        yield step.value
                    step = connections.take(step, course)
        finally:
            course.close()

    def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            self._http.close()


class _Connections:
    """One flow's connections: its stream is closed at the end."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._stream: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()

    def take(self, step: Step, course: Course[Any]) -> Step | None:
        """Take a step and return the next one."""
        try:
            with losses():
                outcome = self._outcome(step)
        except BaseException as error:
            return course.advance(error=error)
        return course.advance(outcome)

    def _outcome(self, step: Step) -> object:
        match step:
            case Send(request):
                response = self._http.send(encoded(self._http, request))
                return decoded(response, response.content)
            case Listen(request):
                self._hang_up()
                self._stream = self._http.send(encoded(self._http, request, quiet_s=QUIET_S), stream=True)
                self._pieces = self._stream.iter_bytes()
                is_stream = self._stream.status_code == httpx.codes.OK
                return decoded(self._stream, b"" if is_stream else self._stream.read())
            case Read():
                return next(self._pieces, b"")
            case Pause(seconds):
                time.sleep(seconds)
        return None

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class Blocking(Protocol):
    """What has flows and a transport to run them."""

    _core: Any
    _transport: Transport


def blocking(flow: Callable[Concatenate[Any, P], Flow[T]]) -> Callable[Concatenate[Any, P], T]:
    """Return the method that runs a flow of `_core` and returns its value."""

    def run(owner: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return owner._transport.run(flow(owner._core, *args, **kwargs))

    present(run, flow, returns="{}", file="File")
    return run


def iterating(feed: Callable[Concatenate[Any, P], Feed[T]]) -> Callable[Concatenate[Any, P], Iterator[T]]:
    """Return the method that runs a flow of `_core` and yields what it emits."""

    def run(owner: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return owner._transport.iterate(feed(owner._core, *args, **kwargs))

    present(run, feed, returns="Iterator[{}]", file="File")
    return run
