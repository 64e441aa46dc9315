"""`/v1/jobs/{id}/thumbnail`: a job at a glance, for lists."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from service.access.downloads import one_download
from service.decoding.thumbnail import LEAST, MEDIA_TYPE
from service.http.caching import NOT_MODIFIED
from service.http.errors import InvalidFields, NotFound, TooManyAtOnce, Unavailable
from service.http.media_types import file_content
from service.http.problems import problem_responses
from worker.broker.contract import JobRecord, input_name

from .deps import JobsDep
from .endpoints import JobId
from .glance import name_of_found
from .service import JobService
from .small_pictures import Picture, SmallPicturesDep

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["jobs"], dependencies=[Depends(one_download)])

USUAL, MOST = 96, 512


@router.get(
    "/thumbnail",
    summary="A job at a glance",
    response_class=Response,
    responses={
        200: {"description": "A small JPEG.", "content": file_content(MEDIA_TYPE)},
        304: NOT_MODIFIED,
        **problem_responses(NotFound, InvalidFields, TooManyAtOnce, Unavailable),
    },
)
async def get_thumbnail(
    job_id: JobId,
    jobs: JobsDep,
    small: SmallPicturesDep,
    size: Annotated[int, Query(ge=LEAST, le=MOST, description="Most pixels of the longer side.")] = USUAL,
) -> Response:
    """Return the first image of a job, where it is kept; else what was found, once it has succeeded."""
    return await small.respond(lambda: glance_at(jobs, jobs.get(job_id)), size)


def glance_at(jobs: JobService, job: JobRecord) -> Picture:
    """Return the first image of a job, where it is kept; else what was found.

    Raises:
        NotFound: there is neither (any more).
    """
    if job.keep_images:
        return Picture(jobs.image(job.id, input_name(0)), job.params.white_level)
    name = name_of_found(job)
    if name is None:
        raise NotFound("The job has no picture: its image isn't kept, and it has found nothing (yet).")
    return Picture(jobs.artifact(job.id, name))
