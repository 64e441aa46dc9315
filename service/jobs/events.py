"""`/v1/jobs/{id}/events`: a job's events, as server-sent events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from service.access.turns import turn_of
from service.deps import LinksDep, Services
from service.http.errors import InvalidFields, NotFound, Unavailable
from service.http.links import Links
from service.http.problems import problem_responses
from worker.broker.contract import JobRecord
from worker.broker.events import EventKind

from .deps import JobsDep
from .endpoints import JobId
from .service import JobService
from .view import read
from .watch import Event, Watch

KEEP_ALIVE_S = 15.0  # a comment after so long without an event, so that no proxy ends the connection
RETRY_MS = 1000
EVENT_ID = r"^[0-9]{1,15}-[0-9]{1,9}$"
EXAMPLE = """event: progress
data: {"progress": {"iteration": 40, "total": 100, "fraction": 0.4, "eta_s": 9, "stage": "masks"}, "partial_curve": []}
id: 1764000000000-0

"""

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get(
    "/{job_id}/events",
    summary="Watch a job",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
            "description": "Events, until the job is over.",
        },
        204: {"description": "Nothing happened after `Last-Event-ID`, and nothing will: browsers stop reconnecting."},
        **problem_responses(NotFound, InvalidFields, Unavailable),
    },
)
async def watch_job(
    request: Request,
    job_id: JobId,
    jobs: JobsDep,
    links: LinksDep,
    last_event_id: Annotated[
        str | None, Header(pattern=EVENT_ID, description="Continue after this event; browsers send it by themselves.")
    ] = None,
) -> Response:
    """Send a job's events as server-sent events, until it is finished or removed.

    - `state`: the whole job, as `GET /v1/jobs/{id}` shows it; as it is now, then at each change.
    - `progress`: `progress` and `partial_curve` of the running job, about twice a second.
    - `preview`: `masks` of the areas that are worked on, each with its `area` and a small PNG as a data URL; of a
      comparison also `maps` of the methods that have ended, each with its `method` and such a PNG. Every second at
      first, then every other one.
    - `deleted`: the job was removed.

    With `Last-Event-ID` the stream continues after that event. Progress is kept for a while, the last state for as long
    as the job.
    """
    record = await run_in_threadpool(jobs.get, job_id)
    services = Services.of(request.app)
    watch = Watch(services.polls, services.events, job_id, after=last_event_id)
    if last_event_id is not None and record.state.is_final and await watch.is_over():
        return Response(status_code=HTTPStatus.NO_CONTENT)
    first = await watch.begin() if last_event_id is None else None
    stream = _Stream(request, watch, jobs, links).messages(job_id, first)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # of proxies, too
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


class _Stream:
    """Stream of server-sent events to one client."""

    def __init__(self, request: Request, watch: Watch, jobs: JobService, links: Links) -> None:
        self._stopping = Services.of(request.app).stopping
        self._line = turn_of(request).line
        self._watch = watch
        self._jobs = jobs
        self._links = links
        self._over = False

    async def messages(self, job_id: str, first: str | None) -> AsyncIterator[bytes]:
        """Yield messages until the job is over.

        Args:
            job_id: of the job.
            first: the event under whose id the job's state is sent at first; None where the client knows it.
        """
        if first is not None:
            yield await self._state(job_id, first)
        if self._over:
            return
        sent = time.monotonic()
        async for event in self._watch.events(lambda: not self._stopping.is_set()):
            message = await self._message(job_id, event, quiet_s=time.monotonic() - sent)
            if message is not None:
                sent = time.monotonic()
                yield message
            if self._over:
                return

    async def _message(self, job_id: str, event: Event | None, *, quiet_s: float) -> bytes | None:
        if event is None:
            return None if quiet_s < KEEP_ALIVE_S else await self._sign_of_life(job_id)
        if event.kind in (EventKind.PROGRESS, EventKind.PREVIEW):
            return format_sse_event(event=event.kind, id=event.id, data_str=event.data)
        return await self._state(job_id, event.id)

    async def _state(self, job_id: str, event_id: str) -> bytes:
        """Return the job as it is now; with the last such message, this stream is over."""
        async with self._line:  # a job's end wakes all who watch it
            record = await self._find(job_id)
            self._over = record is None or record.state.is_final
            if record is None:
                return format_sse_event(event=EventKind.DELETED, id=event_id, data_str="{}")
            job = await run_in_threadpool(read, record, self._jobs, self._links)
        return format_sse_event(
            event=EventKind.STATE, id=event_id, data_str=job.model_dump_json(by_alias=True), retry=RETRY_MS
        )

    async def _sign_of_life(self, job_id: str) -> bytes:
        """Return a comment, or that the job is gone: where Redis lost it, there is no event."""
        if await self._find(job_id) is None:
            self._over = True
            return format_sse_event(event=EventKind.DELETED, data_str="{}")
        return format_sse_event(comment="keep-alive")

    async def _find(self, job_id: str) -> JobRecord | None:
        try:
            return await run_in_threadpool(self._jobs.get, job_id)
        except NotFound:
            return None
