"""Steps of a flow: what it asks its transport to do.

A flow is a generator. It yields steps and is sent their outcomes; what goes wrong in a step is thrown into it. So all
decisions are made in one place, and a transport does nothing but send, read and wait, blocking or not.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

from .messages import Answer, Request

T = TypeVar("T")


@dataclass(frozen=True)
class Send:
    """Send a request; the outcome is the whole `Answer`."""

    request: Request


@dataclass(frozen=True)
class Listen:
    """Send a request and keep its answer open; the outcome is an `Answer`, whose content comes by `Read` at a 200."""

    request: Request


@dataclass(frozen=True)
class Read:
    """Wait for more of the open answer; the outcome is bytes, none at its end."""


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Emit(Generic[T]):
    """Hand a value to whoever iterates; where nobody does, it is dropped."""

    value: T


Step: TypeAlias = Send | Listen | Read | Pause | Emit[Any]
Flow: TypeAlias = Generator[Any, Any, T]
"""Flow that returns a value."""
Feed: TypeAlias = Generator[Send | Listen | Read | Pause | Emit[T], Any, None]
"""Flow that emits values of one type."""


class Lost(Exception):
    """A connection that failed, or an answer that didn't come."""


class Course(Generic[T]):
    """A flow on its way to its `value`."""

    value: T

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow

    def advance(self, outcome: object = None, *, error: BaseException | None = None) -> Step | None:
        """Return the next step, after the outcome or the error of the one before; None where the flow has ended."""
        try:
            step = self._flow.send(outcome) if error is None else self._flow.throw(error)
        except StopIteration as end:
            self.value = end.value
            return None
        return cast("Step", step)

    def close(self) -> None:
        """End the flow where it is."""
        self._flow.close()


def send(request: Request) -> Flow[Answer]:
    """Send a request once."""
    return cast("Answer", (yield Send(request)))


def listen(request: Request) -> Flow[Answer]:
    """Send a request once and keep its answer open."""
    return cast("Answer", (yield Listen(request)))


def read() -> Flow[bytes]:
    """Wait for more of the open answer."""
    return cast("bytes", (yield Read()))
