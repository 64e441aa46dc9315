"""`/v1/jobs/{id}/images/{k}`, `target_image`, `target_mask`: the posted pictures, where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.concurrency import run_in_threadpool

from ep_core.schemas.targets import picture_of
from service.access.downloads import one_download
from service.decoding.thumbnail import LEAST, MEDIA_TYPE, MOST
from service.http.caching import NOT_MODIFIED, immutable_response
from service.http.errors import InvalidFields, NotFound, TooManyAtOnce, Unavailable
from service.http.media_types import file_content, negotiate
from service.http.problems import problem_responses
from worker.broker.contract import TARGET_PICTURE, JobRecord, input_name

from .deps import JobsDep
from .endpoints import JobId
from .image_types import image_type
from .service import JobService
from .small_pictures import Picture, SmallPictures, SmallPicturesDep

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
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file as it is stored; with `size`, a small JPEG of it.",
        "content": file_content("image/*", MEDIA_TYPE),
    },
    304: NOT_MODIFIED,
    **problem_responses(NotFound, InvalidFields, TooManyAtOnce, Unavailable),
}


@dataclass(frozen=True)
class Inputs:
    """The posted images of one job, and its target's own picture, as answers."""

    job_id: str
    jobs: JobService
    small: SmallPictures
    size: int | None

    async def respond(self, name: str, part: str | None = None) -> Response:
        """Return the answer that carries a picture, small where a size is asked for.

        Args:
            name: of its blob.
            part: of a target's picture, what it is called.

        Raises:
            NotFound: it isn't there (any more), or is another part.
        """
        if self.size is None:
            return negotiate(await run_in_threadpool(self._whole, name, part), self.small.accept)
        return await self.small.respond(partial(self._picture, name, part), self.size)

    def _find(self, name: str, part: str | None) -> tuple[JobRecord, bytes]:
        job = self.jobs.get(self.job_id)
        if part is not None and picture_of(job.params.target) != part:
            raise NotFound(f"The job has no {part}: its target uses none.")
        return job, self.jobs.image(job.id, name)

    def _picture(self, name: str, part: str | None) -> Picture:
        job, data = self._find(name, part)
        if part == "target_mask":  # as `read_region` reads it
            return Picture(data, behind="black")
        return Picture(data, job.params.white_level)

    def _whole(self, name: str, part: str | None) -> Response:
        _, data = self._find(name, part)
        media_type = image_type(data).media_type
        small = self.small
        return immutable_response(data, media_type, if_none_match=small.if_none_match, max_age_s=small.max_age_s)


async def _inputs(job_id: JobId, jobs: JobsDep, small: SmallPicturesDep, size: Size = None) -> Inputs:
    return Inputs(job_id, jobs, small, size)


InputsDep = Annotated[Inputs, Depends(_inputs)]


@router.get("/images/{index}", summary="A posted image", response_class=Response, responses=_RESPONSES)
async def get_image(index: Index, inputs: InputsDep) -> Response:
    """Return a posted image: until the job has ended, and as long as its result with `keep_images`.

    Its pixels are those that were posted. The file's metadata (place, camera, times, texts) were removed
    unless `keep_metadata` was set.

    With `size`, return it as the network sees it, in a form that every browser shows, whatever was posted: turned
    upright, transparent parts on white.
    """
    return await inputs.respond(input_name(index))


@router.get("/target_image", summary="The target's second picture", response_class=Response, responses=_RESPONSES)
async def get_target_image(inputs: InputsDep) -> Response:
    """Return the picture that the image was compared with (`similar_to`), as long as a posted image."""
    return await inputs.respond(TARGET_PICTURE, "target_image")


@router.get("/target_mask", summary="The target's region", response_class=Response, responses=_RESPONSES)
async def get_target_mask(inputs: InputsDep) -> Response:
    """Return the picture of the region that the target is within, as it was posted, as long as a posted image.

    With `size`, transparent parts are on black: what isn't painted isn't in the region.
    """
    return await inputs.respond(TARGET_PICTURE, "target_mask")
