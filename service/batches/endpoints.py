"""`/v1/batches`: post many images, get their results together."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from ep_core.schemas.reports.file_names import PAGE
from service.access.authentication import CallerDep
from service.access.downloads import one_download
from service.deps import LinksDep, Services
from service.http.caching import NOT_MODIFIED, IfNoneMatch, checked_response
from service.http.errors import NoResult, NotFound, TooManyAtOnce, Unavailable
from service.http.links import Links
from service.http.media_types import Accept, file_content, negotiate
from service.http.problems import problem_responses
from service.jobs.artifacts import HTML, PAGE_POLICY
from service.jobs.deps import JobsDep
from service.jobs.idempotency import IdempotencyKey
from service.jobs.intake import REFUSALS, accept
from service.jobs.links import linked
from service.jobs.service import JobService
from service.observe import tracing
from service.uploads.examples import BATCH_BODY
from worker.broker.contract import JobRecord, JobState, Problem
from worker.broker.problems import make_problem

from .contract import BatchItem, BatchRecord
from .page import BatchPage
from .schemas import BatchJob, BatchLinks, BatchRead, BatchResult, BatchResults
from .service import BatchService

router = APIRouter(prefix="/v1/batches", tags=["batches"])

UNUSABLE = "unusable"
BatchId = Annotated[str, Path(description="The batch's id.", examples=["5d1f3a1c7b0e4a8f9f5c2d4e6a7b8c9d"])]


async def _batches(request: Request) -> BatchService:
    return Services.of(request.app).batches


BatchesDep = Annotated[BatchService, Depends(_batches)]


@router.post(
    "",
    summary="Explain many images",
    status_code=202,
    responses=REFUSALS,
    openapi_extra={"requestBody": BATCH_BODY},
)
async def create_batch(
    request: Request,
    response: Response,
    caller: CallerDep,
    batches: BatchesDep,
    jobs: JobsDep,
    links: LinksDep,
    idempotency_key: IdempotencyKey = None,
) -> BatchRead:
    """Post many images with the same parameters; each becomes a job. `Location` is the batch.

    Send a multipart form (`image` for each file, and `params`) or a JSON object (`images` in base64, `params`), up to
    100 images and 100 MB by default. An image that can't be used is listed with the reason, and the others are
    explained all the same; where none can, it is an error.
    """
    submit = partial(batches.submit, key=idempotency_key, origin=tracing.origin(links.root_path))
    record, replayed = await accept(request, caller, submit, is_batch=True)
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    response.headers["Location"] = links.batch(record.id)
    return await run_in_threadpool(read, record, jobs, links)


@router.get("/{batch_id}", summary="Read a batch", responses=problem_responses(NotFound, Unavailable))
def get_batch(batch_id: BatchId, caller: CallerDep, batches: BatchesDep, jobs: JobsDep, links: LinksDep) -> BatchRead:
    """Return the state of a batch and its jobs. It is kept for as long as the last of them, a day by default."""
    return read(batches.get(batch_id, caller), jobs, links)


@router.get(
    "/{batch_id}/results", summary="The results of a batch so far", responses=problem_responses(NotFound, Unavailable)
)
def get_results(
    batch_id: BatchId, caller: CallerDep, batches: BatchesDep, jobs: JobsDep, links: LinksDep
) -> BatchResults:
    """Return the result of each job that has succeeded, and the reason why the others have none (yet)."""
    record = batches.get(batch_id, caller)
    records = _records(record, jobs)
    results = [_result(item, records.get(item.job or ""), jobs, links) for item in record.items]
    return BatchResults(id=record.id, done=all(one.state.is_final for one in records.values()), results=results)


@router.get(
    f"/{{batch_id}}/{PAGE}",
    summary="Page of a batch",
    response_class=Response,
    responses={
        200: {"description": "A page with its pictures, styles and scripts in it.", "content": file_content(HTML)},
        304: NOT_MODIFIED,
        **problem_responses(NotFound, TooManyAtOnce, Unavailable),
    },
    dependencies=[Depends(one_download)],
)
async def get_page(
    request: Request,
    batch_id: BatchId,
    caller: CallerDep,
    batches: BatchesDep,
    jobs: JobsDep,
    if_none_match: IfNoneMatch = None,
    accept: Accept = None,
) -> Response:
    """Return one HTML page with all images so far, under one slider: class, a*, and what is kept at each area.

    It opens from disk, without a server or a network. Its pictures have up to 320 pixels, of more than 100 images up to
    160, so that 100 images are a few megabytes; of more than 500, the first 500 are shown. Where images aren't kept, it
    shows what was found in them.
    """
    record = await run_in_threadpool(batches.get, batch_id, caller)
    page = await BatchPage(request, caller.who, jobs).make(record)
    response = checked_response(page.encode(), HTML, if_none_match=if_none_match)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return negotiate(response, accept)


@router.delete(
    "/{batch_id}",
    summary="Cancel and remove a batch",
    status_code=204,
    responses=problem_responses(NotFound, Unavailable),
)
def delete_batch(batch_id: BatchId, caller: CallerDep, batches: BatchesDep, jobs: JobsDep) -> None:
    """Remove a batch with all of its jobs; those that run are stopped within moments."""
    batches.delete(batches.get(batch_id, caller), jobs)


def read(record: BatchRecord, jobs: JobService, links: Links) -> BatchRead:
    """Return the response model of a batch."""
    records = _records(record, jobs)
    items = [_item(item, records.get(item.job or ""), links) for item in record.items]
    usable = [item for item in items if item.error is None or item.job is not None]
    return BatchRead(
        id=record.id,
        created_at=record.created_at,
        done=all(one.state.is_final for one in records.values()),
        fraction=round(sum(item.fraction for item in usable) / max(1, len(usable)), 4),
        counts=Counter(item.status or (UNUSABLE if item.job is None else "gone") for item in items),
        jobs=items,
        links=_links(record.id, links),
    )


def _links(batch_id: str, links: Links) -> BatchLinks:
    batch = links.batch(batch_id)
    return BatchLinks(
        self_=batch,
        dashboard=links.dashboard("batch", batch_id),
        results=f"{batch}/results",
        page=f"{batch}/{PAGE}",
    )


def _records(record: BatchRecord, jobs: JobService) -> dict[str, JobRecord]:
    return {one.id: one for one in jobs.get_all(record.jobs) if one is not None}


def _item(item: BatchItem, job: JobRecord | None, links: Links) -> BatchJob:
    if job is None:
        return BatchJob(name=item.name, job=item.job, error=item.error, fraction=0 if item.job is None else 1)
    return BatchJob(
        name=item.name,
        job=job.id,
        status=job.state,
        error=job.error,
        fraction=1 if job.state.is_final else job.progress.fraction if job.progress else 0,
        cached=job.cached,
        link=links.job(job.id),
    )


def _result(item: BatchItem, job: JobRecord | None, jobs: JobService, links: Links) -> BatchResult:
    if job is None:
        return BatchResult(name=item.name, job=item.job, error=item.error or _gone())
    if job.state is not JobState.SUCCEEDED:
        return BatchResult(name=item.name, job=job.id, status=job.state, error=job.error)
    try:
        report = linked(jobs.report(job.id), job.id, links, files=job.files)
    except (NotFound, NoResult) as error:  # removed just now, or it can't be read
        return BatchResult(name=item.name, job=job.id, error=error.problem)
    return BatchResult(name=item.name, job=job.id, status=job.state, result=report)


def _gone() -> Problem:
    return make_problem("not-found", "The job was removed, or has expired.")
