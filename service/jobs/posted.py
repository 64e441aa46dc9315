"""`/v1/jobs/{id}/images/{k}`: the posted images, where they are kept."""

from __future__ import annotations

import io
from typing import Annotated

from fastapi import APIRouter, Path, Response
from PIL import Image, UnidentifiedImageError

from service.caching import IfNoneMatch, immutable_response
from service.deps import JobsDep, SettingsDep
from service.errors import InvalidFields, NotFound, Unavailable
from service.problems import problem_responses

from .endpoints import JobId

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["jobs"])


@router.get(
    "/images/{index}",
    summary="A posted image",
    response_class=Response,
    responses={
        200: {
            "description": "The file as it was posted.",
            "content": {"image/*": {"schema": {"type": "string", "contentMediaType": "image/*"}}},
        },
        304: {"description": "The client has it already."},
        **problem_responses(NotFound, InvalidFields, Unavailable),
    },
)
def get_image(
    job_id: JobId,
    index: Annotated[int, Path(ge=0, le=9999, description="Its place among the job's images.")],
    jobs: JobsDep,
    settings: SettingsDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return a posted image: until the job has ended, and as long as its result where `keep_images` was asked for."""
    data = jobs.image(jobs.get(job_id).id, index)
    return immutable_response(
        data, _media_type(data), if_none_match=if_none_match, max_age_s=settings.retention_s, filename=None
    )


def _media_type(data: bytes) -> str:
    try:
        with Image.open(io.BytesIO(data)) as image:  # looked at when it was posted
            return Image.MIME.get(image.format or "", "application/octet-stream")
    except (UnidentifiedImageError, OSError):
        return "application/octet-stream"
