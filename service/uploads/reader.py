"""Reading a post: images and their parameters, as a multipart form or as JSON, within the limits."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from fastapi import Request

from service.errors import InvalidFields, UnsupportedType
from service.outbound import Outbound, OutboundError
from service.validation import MAX_ERRORS, FieldError

from .body import read_json
from .form import read_form
from .images import PostedImage, clean_name, unusable
from .limits import UploadLimits, too_large_together
from .upload import Upload

MULTIPART = "multipart/form-data"
JSON = "application/json"
FETCH_S = 15.0
FETCHED_AT_ONCE = 4


async def read_upload(request: Request, limits: UploadLimits, outbound: Outbound) -> Upload:
    """Read the body as it comes in, and stop as soon as it is longer than an allowed one can be.

    Raises:
        UnsupportedType: the body is neither a multipart form nor JSON.
        UploadTooLarge: an image, all of them together, or the parameters have more bytes than they may.
        InvalidFields: parts or fields are missing, double, unknown, or have values that aren't allowed; or an image
            can't be fetched.
    """
    read = read_form if is_form(request) else read_json
    return await _with_fetched(await read(request, limits), limits, outbound)


def is_form(request: Request) -> bool:
    """Return whether a body is a multipart form, or else JSON; raises `UnsupportedType` where it is neither."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (MULTIPART, JSON):
        raise UnsupportedType(
            f"The body's Content-Type is {media_type or 'missing'}: send {MULTIPART} or {JSON}.",
            headers={"Accept-Post": f"{MULTIPART}, {JSON}", "Connection": "close"},
        )
    return media_type == MULTIPART


async def _with_fetched(upload: Upload, limits: UploadLimits, outbound: Outbound) -> Upload:
    """Return the upload with the images that it gives by their addresses."""
    if not upload.urls:
        return upload
    slots = asyncio.Semaphore(FETCHED_AT_ONCE)
    together = sum(len(image.data) for image in upload.images)

    async def fetch(url: str) -> PostedImage | OutboundError:
        nonlocal together
        async with slots:
            try:
                data = await outbound.fetch(url, max_bytes=limits.image_bytes, timeout_s=FETCH_S)
            except OutboundError as error:
                return error
        together += len(data)
        if together > limits.total_bytes:
            raise too_large_together(limits)
        return PostedImage(data, _name(url))

    found = await asyncio.gather(*map(fetch, upload.urls))
    wrong = [_error(k, error, len(found)) for k, error in enumerate(found) if isinstance(error, OutboundError)]
    if wrong and not limits.is_batch:
        raise InvalidFields(wrong[:MAX_ERRORS])
    fetched = [
        unusable(_name(url), str(one)) if isinstance(one, OutboundError) else one
        for url, one in zip(upload.urls, found, strict=True)
    ]
    return replace(upload, images=(*upload.images, *fetched), urls=())


def _name(url: str) -> str:
    return clean_name(url.partition("?")[0])


def _error(k: int, error: OutboundError, count: int) -> FieldError:
    return FieldError(field="image_url" if count == 1 else f"image_url.{k}", detail=str(error))
