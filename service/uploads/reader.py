"""Reading a post: images and their parameters, as a multipart form or as JSON, within the limits."""

from __future__ import annotations

from fastapi import Request

from service.access.shares import Take
from service.http.errors import UnsupportedType

from .body import read_json
from .form import read_form
from .limits import UploadLimits
from .upload import Upload

MULTIPART = "multipart/form-data"
JSON = "application/json"


async def read_upload(request: Request, limits: UploadLimits, take: Take) -> Upload:
    """Read the body as it comes in, and stop as soon as it is longer than an allowed one can be.

    What is more than a little goes to a file first: how many clients send slowly is no matter of memory.

    Args:
        request: whose body it is.
        limits: what it may hold.
        take: waits until there is memory for what was sent, in bytes.

    Raises:
        UnsupportedType: the body is neither a multipart form nor JSON.
        UploadTooLarge: an image, all of them together, or the parameters have more bytes than they may.
        InvalidFields: parts or fields are missing, double, unknown, or have values that aren't allowed.
    """
    read = read_form if is_form(request) else read_json
    return await read(request, limits, take)


def is_form(request: Request) -> bool:
    """Return whether a body is a multipart form, or else JSON; raises `UnsupportedType` where it is neither."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (MULTIPART, JSON):
        raise UnsupportedType(
            f"The body's Content-Type is {media_type or 'missing'}: send {MULTIPART} or {JSON}.",
            headers={"Accept-Post": f"{MULTIPART}, {JSON}", "Connection": "close"},
        )
    return media_type == MULTIPART
