"""`/v1/jobs`: post, read, list and delete jobs."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from ep_core.schemas.tasks import TaskName
from service.access.authentication import CallerDep
from service.deps import LinksDep, SubmissionsDep
from service.http.errors import InvalidFields, NotFound, Unavailable
from service.http.packing import AcceptEncoding, pack, packed_once
from service.http.problems import problem_responses
from service.observe import tracing
from service.uploads.examples import REQUEST_BODY
from worker.broker.contract import JobState

from .cursor import as_cursor, from_cursor
from .deps import JobsDep
from .examples import JOB_CONTENT
from .idempotency import IdempotencyKey
from .intake import REFUSALS, accept
from .prefer import WaitDep, wait_until_final
from .schemas import JobPage, JobRead
from .view import read, show

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

MOST_LISTED = 100

JobId = Annotated[str, Path(description="The job's id.", examples=["0f8fad5bd9cb469fa165708677289501"])]


@router.post(
    "",
    summary="Explain an image",
    status_code=202,
    response_model=JobRead,
    responses={
        200: {
            "model": JobRead,
            "description": "The job is finished (or has failed): with `Prefer: wait=N`, or its result was known.",
        },
        202: JOB_CONTENT,
        **REFUSALS,
    },
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def create_job(
    request: Request,
    response: Response,
    caller: CallerDep,
    jobs: JobsDep,
    submissions: SubmissionsDep,
    links: LinksDep,
    wait_s: WaitDep,
    idempotency_key: IdempotencyKey = None,
) -> JobRead:
    """Post an image and its parameters; the answer is the queued job, its address in `Location`.

    Send a multipart form (`image`, a file, and `params`, JSON) or a JSON object (`image` in base64, `params`). An
    image is decoded before a job is made: one picture, JPEG, PNG, WebP, AVIF, JPEG 2000, TIFF, BMP, GIF, PNM or QOI,
    within the operator's limits (20 MB and 50 megapixels by default). Animations and documents of several pages are
    refused; of a phone's JPEG that holds several pictures (MPO), the first is taken.

    The task `class_channels` takes several images, by default up to 32 and 100 MB together: repeat the part `image`,
    or send a list in base64 as `images` in place of `image` (together no more than a single image may have). For other
    tasks, several images are a batch: `/v1/batches`.
    """
    submit = partial(submissions.submit, key=idempotency_key, origin=tracing.origin(links.root_path))
    record, replayed = await accept(request, caller, submit, is_batch=False)
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    if wait_s is not None:
        response.headers["Preference-Applied"] = f"wait={wait_s}"
        record = await wait_until_final(request, record, jobs.get, wait_s)
    response.headers["Location"] = links.job(record.id)
    response.status_code = 200 if record.state.is_final else 202
    return await run_in_threadpool(read, record, jobs, links)


@router.get(
    "",
    summary="List jobs",
    response_model=JobPage,
    responses=problem_responses(InvalidFields, Unavailable),
)
def list_jobs(
    jobs: JobsDep,
    links: LinksDep,
    status: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
    task: Annotated[TaskName | None, Query(description="Only jobs of this task.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="Most jobs on the page.")] = 20,
    cursor: Annotated[
        str | None, Query(min_length=1, description="The start of the page: see `next` of the page before.")
    ] = None,
    accept_encoding: AcceptEncoding = "",
) -> Response:
    """Return jobs, the newest first. `next` leads on; what is posted meanwhile doesn't shift the pages."""
    after = None if cursor is None else from_cursor(cursor)
    records, last = jobs.page(state=status, task=task, after=after, limit=limit)
    more = None if last is None else links.page(status=status, task=task, limit=limit, cursor=as_cursor(last))
    page = JobPage(jobs=[read(record, jobs, links) for record in records], next=more)
    content = pack(page.model_dump_json(by_alias=True).encode(), "application/json")
    return packed_once(content, accept_encoding=accept_encoding)


@router.get(
    "/{job_id}",
    summary="Read a job",
    response_model=JobRead,
    responses={200: JOB_CONTENT, **problem_responses(NotFound, Unavailable)},
)
async def get_job(job_id: JobId, jobs: JobsDep, links: LinksDep) -> Response:
    """Return the state of a job. A finished job is kept for the operator's retention time, a day by default."""
    record, position = await jobs.look(job_id)
    job = show(record, jobs, links, position=position, wait_s=await jobs.wait_s_soon(position))
    # The most frequent response: serialised once, in place of being validated and serialised again.
    return Response(job.model_dump_json(by_alias=True), media_type="application/json")


@router.delete(
    "/{job_id}", summary="Cancel and remove a job", status_code=204, responses=problem_responses(NotFound, Unavailable)
)
def delete_job(job_id: JobId, jobs: JobsDep) -> None:
    """Remove a job with its image and results; one that runs is stopped within moments."""
    jobs.delete(job_id)
