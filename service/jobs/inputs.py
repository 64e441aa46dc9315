"""`/v1/jobs/{id}/images/{k}`: the posted images, where they are kept."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from ep_core.errors import InvalidInput
from service.access.authentication import CallerDep
from service.access.downloads import one_download
from service.access.turns import turn_of
from service.decoding.decoders import Decoders
from service.decoding.thumbnail import LEAST, MEDIA_TYPE, MOST
from service.deps import Services, SettingsDep
from service.http.caching import NOT_MODIFIED, IfNoneMatch, derived_response, entity_tag, immutable_response
from service.http.errors import InvalidFields, NotFound, TooManyAtOnce, Unavailable
from service.http.media_types import BYTES, Accept, file_content, negotiate
from service.http.problems import problem_responses
from service.settings import ApiSettings
from service.uploads.limits import invalid

from .deps import JobsDep
from .endpoints import JobId
from .service import JobService

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["jobs"], dependencies=[Depends(one_download)])

Index = Annotated[int, Path(ge=0, le=9999, description="Its place among the job's images.")]
Size = Annotated[
    int | None,
    Query(
        ge=LEAST,
        le=MOST,
        description="Most pixels of the longer side: the answer is a JPEG of the upright image, never enlarged. "
        "Without it, the answer is the file as it is stored.",
        examples=[128],
    ),
]
_MEDIA_TYPES = (  # a place in the file, the bytes that stand there, the type
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypmif1", "image/avif"),
    (0, b"\0\0\0\x0cjP  ", "image/jp2"),
    (0, b"II", "image/tiff"),
    (0, b"MM", "image/tiff"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
)


@router.get(
    "/images/{index}",
    summary="A posted image",
    response_class=Response,
    responses={
        200: {
            "description": "The file as it is stored; with `size`, a small JPEG of it.",
            "content": file_content("image/*", MEDIA_TYPE),
        },
        304: NOT_MODIFIED,
        **problem_responses(NotFound, InvalidFields, TooManyAtOnce, Unavailable),
    },
)
async def get_image(
    request: Request,
    job_id: JobId,
    index: Index,
    caller: CallerDep,
    jobs: JobsDep,
    settings: SettingsDep,
    size: Size = None,
    if_none_match: IfNoneMatch = None,
    accept: Accept = None,
) -> Response:
    """Return a posted image: until the job has ended, and as long as its result with `keep_images`.

    Its pixels are those that were posted. The file's metadata (place, camera, times, texts) were removed
    unless `keep_metadata` was set.

    With `size`, return it as the network sees it, in a form that every browser shows, whatever was posted: turned
    upright, transparent parts on white.
    """
    if size is None:
        return negotiate(await run_in_threadpool(_whole, jobs, job_id, index, settings, if_none_match), accept)
    services = Services.of(request.app)
    # Who waits has no image in memory, and lets others of its caller go on.
    async with turn_of(request).resting(), services.thumbnail_shares.hold(caller.who):
        job = await run_in_threadpool(jobs.get, job_id)
        data = await run_in_threadpool(jobs.image, job.id, index)
        make = partial(_thumbnail, services.thumbnails, data, size, who=caller.who, white_level=job.params.white_level)
        tag = entity_tag(data, variant=str(size))
        max_age_s = settings.retention_s
        answer = await derived_response(tag, make, MEDIA_TYPE, if_none_match=if_none_match, max_age_s=max_age_s)
        return negotiate(answer, accept)


def _whole(jobs: JobService, job_id: str, index: int, settings: ApiSettings, if_none_match: str | None) -> Response:
    data = jobs.image(jobs.get(job_id).id, index)
    return immutable_response(data, _media_type(data), if_none_match=if_none_match, max_age_s=settings.retention_s)


async def _thumbnail(decoders: Decoders, data: bytes, size: int, *, who: str, white_level: int | None) -> bytes:
    try:
        return await decoders.make_thumbnail(data, size, who=who, white_level=white_level)
    except InvalidInput as error:  # it was taken when it was posted: the limit is another one now
        raise invalid("size", f"the image can't be shown smaller: {error.detail}; leave size out") from error


def _media_type(data: bytes) -> str:
    """Return the type of a file by its first bytes: to open it could decode it, here in the API process."""
    return next((kind for at, magic, kind in _MEDIA_TYPES if data.startswith(magic, at)), BYTES)
