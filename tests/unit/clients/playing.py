"""Flows without a network: a script in the place of the service, which keeps what it was sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from extremal_client.core.messages import Answer, Request, Site
from extremal_client.core.steps import Course, Emit, Flow, Listen, Lost, Pause, Read, Send

T = TypeVar("T")
URL = "http://service.test"
JOB_ID = "0f8fad5bd9cb469fa165708677289501"
Line = Answer | Lost | bytes
"""What the script answers with: whole, not at all, or with a piece of a stream; no bytes end the stream."""


@dataclass
class Script:
    """Answers in turn to what a flow sends, with a clock that moves by pauses alone."""

    lines: Iterable[Line]
    now: float = 1000.0
    requests: list[Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    emitted: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = list(self.lines)

    def site(self, *, retry_s: float = 60.0, key: str | None = None, url: str = URL) -> Site:
        """A service whose pauses aren't shortened by chance."""
        return Site(url, key, retry_s, clock=lambda: self.now, chance=lambda: 1.0)

    def play(self, flow: Flow[T]) -> T:
        """Run a flow; every line must be used."""
        course = Course(flow)
        step = course.advance()
        while step is not None:
            outcome: object = None
            match step:
                case Send(request) | Listen(request):
                    self.requests.append(request)
                    outcome = self._left.pop(0)
                case Read():
                    outcome = self._left.pop(0)
                case Pause(seconds):
                    self.pauses.append(seconds)
                    self.now += seconds
                case Emit(value):
                    self.emitted.append(value)
            step = course.advance(error=outcome) if isinstance(outcome, Lost) else course.advance(outcome)
        assert not self._left, self._left
        return course.value


def answer(document: Any = None, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json"} | named, json.dumps(document).encode(), URL)


def problem(
    slug: str, status: int, detail: str = "Something is wrong.", *, retry_after: int | None = None, **members: Any
) -> Answer:
    """An answer with problem details."""
    document = {"type": f"/problems/{slug}", "title": slug, "status": status, "detail": detail, **members}
    after = {} if retry_after is None else {"retry_after": str(retry_after)}
    return answer(document, status, content_type="application/problem+json", **after)


def job_document(status: str = "queued", **more: Any) -> dict[str, Any]:
    """A job as the service shows it, with the fields that a client needs."""
    address = f"/v1/jobs/{JOB_ID}"
    links: dict[str, Any] = {"self": address, "dashboard": f"/#/job/{JOB_ID}", "events": f"{address}/events"}
    if status == "succeeded":
        links |= {"result": f"{address}/result", "masks": {"0.1": f"{address}/masks/0.1.png"}}
    fixed = {"id": JOB_ID, "status": status, "params": {"task": "extremal"}, "created_at": "2026-01-31T12:00:00Z"}
    defaults = {"attempt": 0, "priority": "normal", "cached": False, "partial_curve": []}
    return fixed | defaults | {"links": links} | more


def event(kind: str, data: Any, event_id: str | None = None) -> bytes:
    """A server-sent event."""
    name = "" if event_id is None else f"id: {event_id}\n"
    return f"event: {kind}\ndata: {json.dumps(data)}\n{name}\n".encode()
