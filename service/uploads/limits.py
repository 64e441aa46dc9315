"""Limits of uploads, and the errors of uploads beyond them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request

from ep_core.schemas.tasks import TASKS
from service.access.caller import Caller
from service.http.errors import InvalidFields, UploadTooLarge
from service.http.validation import MAX_ERRORS, FieldError
from service.settings import ApiSettings

MAX_PARAMS_BYTES = 64 * 1024
SPOOL_BYTES = 16 * 1024
"""Bytes of an image or a body that stay in memory while it comes in; more of it goes to a file."""
FRAMING_BYTES = 1024  # boundary and headers of a part of a form, or the keys of a JSON body
OF_SEVERAL = " or ".join(name for name, task in TASKS.items() if task.takes_several)
"""The tasks whose jobs have several images."""
MORE_PARTS = 16  # than images that there may be, so that the answer can name the others


@dataclass(frozen=True)
class UploadLimits:
    """Bytes and images of one request.

    Args:
        image_bytes: of one image, and of all images of a JSON body together, which is held in memory.
        total_bytes: of all images of a form together.
        images: how many.
        is_batch: whether they become a job each, so that a bad one is no reason to refuse the others.
        takes_urls: whether images may be given by their address.
    """

    image_bytes: int
    total_bytes: int
    images: int
    is_batch: bool
    takes_urls: bool

    @classmethod
    def of(cls, settings: ApiSettings, caller: Caller, *, is_batch: bool) -> UploadLimits:
        """Return the limits of a caller's post of a job, or of a batch of jobs."""
        return cls(
            image_bytes=caller.max_upload_bytes,
            total_bytes=max(caller.max_upload_bytes, settings.max_total_upload_bytes),  # one may have its own limit
            images=settings.max_batch_images if is_batch else settings.max_images,
            is_batch=is_batch,
            takes_urls=settings.fetch_urls,
        )

    @classmethod
    def of_one(cls, settings: ApiSettings, caller: Caller) -> UploadLimits:
        """Return the limits of a post of a single image."""
        most = caller.max_upload_bytes
        return cls(image_bytes=most, total_bytes=most, images=1, is_batch=False, takes_urls=settings.fetch_urls)

    def incoming_bytes(self, request: Request) -> int:
        """Return the declared bytes of a request's body, or the most that it may have."""
        declared = _declared(request)
        return self.total_bytes if declared is None else min(declared, self.total_bytes)

    def fetched_bytes(self, urls: int) -> int:
        """Return the most bytes of the images at so many addresses."""
        return min(urls * self.image_bytes, self.total_bytes)


async def limited(request: Request, max_bytes: int, error: UploadTooLarge) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes in, and raise `error` as soon as it is longer than an allowed one can be."""
    if (_declared(request) or 0) > max_bytes:
        raise error
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > max_bytes:
            raise error
        yield chunk


def _declared(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def more_than(max_bytes: int) -> str:
    """Return the message of something that has more bytes."""
    return f"it has more than the {max_bytes} bytes that it may have"


def too_large(*wrong: FieldError) -> UploadTooLarge:
    """Return the error of fields that are too large."""
    return UploadTooLarge(
        f"{wrong[0].field}: {wrong[0].detail}",
        headers={"Connection": "close"},  # keeps the server from reading the rest of the body
        errors=[error.model_dump(exclude_none=True) for error in wrong[:MAX_ERRORS]],
    )


def too_large_together(limits: UploadLimits) -> UploadTooLarge:
    """Return the error of a form whose images together are too large."""
    detail = f"{more_than(limits.total_bytes)}, all images together; each may have {limits.image_bytes}"
    return too_large(FieldError(field="image", detail=detail))


def too_large_json(limits: UploadLimits) -> UploadTooLarge:
    """Return the error of a JSON body, whose images together may have no more than one in a form."""
    detail = f"{more_than(limits.image_bytes)}, all images of a JSON body together: send several as multipart/form-data"
    return too_large(FieldError(field="image", detail=detail))


def too_many(count: str, limits: UploadLimits) -> InvalidFields:
    """Return the error of more images than there may be."""
    by = "in one batch" if limits.is_batch else f"at once, by the task {OF_SEVERAL}"
    taken = "only one is taken" if limits.images == 1 else f"at most {limits.images} are taken {by}"
    return invalid("image", f"there are {count} images: {taken}")


def invalid(field: str, detail: str) -> InvalidFields:
    """Return the error of one field."""
    return InvalidFields([FieldError(field=field, detail=detail)])
