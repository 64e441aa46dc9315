"""Jobs of requests that wait for their results: submitted as those of `POST /v1/jobs` are, and awaited together."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from redis import RedisError
from starlette.requests import ClientDisconnect

from service.access.caller import Caller
from service.access.shares import Take
from service.deps import Services
from service.http.errors import NotFinished, NotFound, WorkerProblem
from service.http.links import Links
from service.jobs.intake import check_upload
from service.jobs.prefer import wait_until_final
from service.jobs.service import JobService
from service.observe import tracing
from service.settings import ApiSettings
from service.uploads.limits import UploadLimits
from service.uploads.shares import open_shares
from service.uploads.upload import Upload
from worker.broker.contract import JobRecord, JobState, Problem

from .reader import within

T = TypeVar("T")


@dataclass(frozen=True)
class Asked(Generic[T]):
    """What is asked of one image."""

    place: str
    """Where the request has it, "" where it is all of the request."""
    upload: Upload
    wanted: T
    """What to return of the result."""


@dataclass(frozen=True)
class Posted(Generic[T]):
    """A job of a request."""

    job: JobRecord
    is_replayed: bool
    """Whether an earlier request has made it."""
    place: str
    wanted: T


Read = Callable[[UploadLimits, Take], Awaitable[Sequence[Asked[T]]]]


def limits_of(settings: ApiSettings, caller: Caller) -> UploadLimits:
    """Return the limits of a request: those of a JSON post of a job, and no images by address."""
    return replace(UploadLimits.of(settings, caller, is_batch=False), takes_urls=False)


async def post(request: Request, caller: Caller, links: Links, read: Read[T], *, key: str | None) -> list[Posted[T]]:
    """Read a request, check all of it, and submit its jobs, all of them or none.

    Args:
        request: that is answered.
        caller: who sent it.
        links: of the service as the caller sees it.
        read: reads what is asked of each image, within limits.
        key: the request's `Idempotency-Key`.

    Raises:
        What `read`, `intake.check_upload` and `Submissions.submit` do.
    """
    services = Services.of(request.app)
    limits = limits_of(services.settings, caller)
    async with open_shares(services.uploads, request, caller, limits) as take:
        checked: list[Asked[T]] = []
        left = services.settings.max_total_pixels
        for one in await read(limits, take):
            with _at(one.place):
                upload = await check_upload(request, caller, one.upload, limits, most_pixels=left)
            left -= _pixels(upload)
            checked.append(replace(one, upload=upload))
        submit = partial(services.submissions.submit, caller=caller, origin=tracing.origin(links.root_path))
        return await run_in_threadpool(_submit_all, checked, submit, services.jobs, key)


def _submit_all(
    checked: Sequence[Asked[T]], submit: Callable[..., tuple[JobRecord, bool]], jobs: JobService, key: str | None
) -> list[Posted[T]]:
    posted: list[Posted[T]] = []
    try:
        for k, one in enumerate(checked):
            record, is_replayed = submit(one.upload, key=None if key is None else f"kserve {k} {key}")
            posted.append(Posted(record, is_replayed, one.place, one.wanted))
    except Exception:
        for made in posted:
            if not made.is_replayed:
                with suppress(NotFound, RedisError):
                    jobs.delete(made.job.id)
        raise
    return posted


async def wait_for_all(
    request: Request, posted: Sequence[Posted[T]], jobs: JobService, links: Links, *, seconds: float
) -> list[Posted[T]]:
    """Return the jobs of a request when all have succeeded.

    Raises:
        NotFinished: one goes on after so many seconds.
        WorkerProblem: one has failed.
        NoResult, NotFound: one was removed meanwhile.
        ClientDisconnect: nobody waits any more; the jobs go on.
    """
    deadline = time.monotonic() + seconds
    for one in posted:
        await wait_until_final(request, one.job, jobs.get, deadline - time.monotonic())
    if await request.is_disconnected():
        raise ClientDisconnect
    ended = [replace(one, job=await run_in_threadpool(jobs.get, one.job.id)) for one in posted]
    for one in ended:
        if not one.job.state.is_final:
            raise _not_finished(one.job, [links.job(each.job.id) for each in ended], links)
        if one.job.error is not None:
            raise WorkerProblem(_with_place(one))
        if one.job.state is not JobState.SUCCEEDED:
            await run_in_threadpool(jobs.get_finished, one.job.id)
    return ended


def _not_finished(job: JobRecord, addresses: list[str], links: Links) -> NotFinished:
    link, page = links.job(job.id), links.dashboard("job", job.id)
    return NotFinished(
        f"The job is {job.state} and goes on: {link} has its state, and its result when it ends; {page} shows it in a "
        "browser. Until then, send this request again only with the Idempotency-Key that it had; later it is answered "
        "at once.",
        jobs=addresses,
    )


def _with_place(failed: Posted[T]) -> Problem:
    """Return the problem of a failed job, its field named as the request has it."""
    problem = failed.job.error
    assert problem is not None  # noqa: S101
    field = (problem.model_extra or {}).get("field")
    return problem.model_copy(update={"field": f"{failed.place}.{field}"}) if field and failed.place else problem


def _at(place: str) -> AbstractContextManager[None]:
    return within(place) if place else nullcontext()


def _pixels(upload: Upload) -> int:
    pictures = [*upload.images, *([upload.target_picture] if upload.target_picture else [])]
    return sum(width * height for width, height in (one.size for one in pictures))
