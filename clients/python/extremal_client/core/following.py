"""A job followed to its end by its events, over lost connections too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Literal, cast, get_args

from extremal_client.errors import JobRemoved
from extremal_client.generated.schemas import JobProgress, JobRead, PartialPoint

from .events import EventParser, Message
from .messages import Answer, Request, Site
from .problems import check, is_temporary
from .reading import read_as
from .retries import Retries, call
from .steps import Emit, Flow, Lost, listen, read

EventKind = Literal["state", "progress", "preview"]
OnChange = Callable[[JobRead], None]
FINAL = frozenset({"succeeded", "failed", "canceled"})


@dataclass(frozen=True)
class Event:
    """Something that happened to a job."""

    kind: EventKind
    job: JobRead
    """The job as it is since then."""
    data: dict[str, Any]
    """Content of the event: of a `preview` the masks that are worked on, small PNGs as data URLs."""


def follow(site: Site, job: JobRead, on_change: OnChange) -> Flow[JobRead]:
    """Return a job as it ends; emits its events.

    The stream goes on after the last known event wherever it breaks off.

    Args:
        site: the service.
        job: as it is now.
        on_change: called with the job after each event.

    Raises:
        JobRemoved: it was removed.
        ServiceError, Unreachable: as `call`.
    """
    retries = Retries(site, site.url)
    last_id: str | None = None
    while job.status not in FINAL:
        try:
            answer = yield from listen(_request(site, job, last_id))
            if answer.status == HTTPStatus.NO_CONTENT:  # nothing has come after the last event, and nothing will
                return (yield from look(site, job))
            if is_temporary(answer):
                yield from retries.after_answer(answer)
                continue
            check(answer)
            parser = EventParser()
            while piece := (yield from read()):
                retries.renew()
                for message in parser.feed(piece):
                    last_id = message.id or last_id
                    job = _changed(job, message)
                    on_change(job)
                    if message.kind in get_args(EventKind):
                        yield Emit(Event(cast("EventKind", message.kind), job, message.data))
            if job.status not in FINAL:
                raise Lost("the stream of events ended before the job")
        except Lost as lost:
            yield from retries.after_loss(lost)
    return job


def look(site: Site, job: JobRead) -> Flow[JobRead]:
    """Return a job as it is now."""
    answer: Answer = yield from call(site, site.follow(job.links.self))
    return read_as(JobRead, answer.json())


def _request(site: Site, job: JobRead, last_id: str | None) -> Request:
    request = site.follow(job.links.events or f"{job.links.self}/events").with_headers(Accept="text/event-stream")
    return request if last_id is None else request.with_headers(Last_Event_ID=last_id)


def _changed(job: JobRead, message: Message) -> JobRead:
    if message.kind == "deleted":
        raise JobRemoved(f"the job {job.id} was removed while it was waited for")
    if message.kind == "state":
        return read_as(JobRead, message.data)
    if message.kind == "progress":
        points = [read_as(PartialPoint, one) for one in message.data["partial_curve"]]
        return replace(job, progress=read_as(JobProgress, message.data["progress"]), partial_curve=points)
    return job
