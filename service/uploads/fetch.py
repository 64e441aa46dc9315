"""Download of an upload's images that are given by address."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from service.http.errors import InvalidFields
from service.http.validation import MAX_ERRORS, FieldError
from service.outbound.requests import Outbound, OutboundError

from .images import PostedImage, clean_name, unusable
from .limits import UploadLimits, too_large_together
from .upload import Upload

FETCH_S = 15.0  # for all of an upload's images together
FETCHED_AT_ONCE = 8


async def fetch_images(upload: Upload, limits: UploadLimits, outbound: Outbound) -> Upload:
    """Return the upload with the images that it gives by their addresses.

    Raises:
        InvalidFields: one can't be had, and it is no batch.
        UploadTooLarge: together with the others they have more bytes than they may; no more are fetched then.
    """
    if not upload.urls:
        return upload
    slots, clock = asyncio.Semaphore(FETCHED_AT_ONCE), asyncio.get_running_loop().time
    deadline = clock() + FETCH_S
    together = sum(len(image.data) for image in upload.images)

    async def fetch(url: str) -> PostedImage | OutboundError:
        nonlocal together
        async with slots:
            if together > limits.total_bytes:
                raise too_large_together(limits)
            left_s = deadline - clock()
            if left_s <= 0:
                return OutboundError(f"was not asked for any more: all images together may take {FETCH_S:g} s")
            try:
                data = await outbound.fetch(url, max_bytes=limits.image_bytes, timeout_s=left_s)
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


async def fetch_image(url: str, limits: UploadLimits, outbound: Outbound) -> PostedImage:
    """Return the single image at an address; raises `InvalidFields` where it can't be had."""
    try:
        data = await outbound.fetch(url, max_bytes=limits.image_bytes, timeout_s=FETCH_S)
    except OutboundError as error:
        raise InvalidFields([_error(0, error, count=1)]) from error
    return PostedImage(data, _name(url))


def _name(url: str) -> str:
    return clean_name(url.partition("?")[0])


def _error(k: int, error: OutboundError, count: int) -> FieldError:
    return FieldError(field="image_url" if count == 1 else f"image_url.{k}", detail=str(error))
