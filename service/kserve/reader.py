"""Reading of requests of both protocols, within the limits of all posts, into what `POST /v1/jobs` takes as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from pydantic_core import from_json

from ep_core.errors import InvalidInput
from service.access.caller import Caller
from service.access.shares import Take
from service.access.turns import turn_of
from service.deps import Services
from service.http.errors import InvalidFields, UnsupportedType
from service.http.media_types import BYTES
from service.http.validation import FieldError
from service.uploads.body import read_bytes
from service.uploads.limits import FRAMING_BYTES, UploadLimits, invalid, more_than, too_large
from service.uploads.reader import JSON
from service.uploads.scan import other_bytes
from service.uploads.upload import utf8_json

from .tensors import JSON_LENGTH, split_body

MOST_NUMBERS_BYTES = 4_000_000
"""Bytes of a JSON body beside files in base64: numbers, which take ten times as much memory while they are read."""
MOST_PARTS = 400_000
"""Lists, objects and twice the texts of a JSON body: a list a pixel, which takes most of the time."""

T = TypeVar("T")


async def read_object(
    request: Request, caller: Caller, limits: UploadLimits, take: Take, read: Callable[[dict[str, Any], bytes], T]
) -> T:
    """Read the JSON object that a body is, and the bytes behind it, if any; one at a time in this process.

    Args:
        request: whose body it is.
        caller: who sent it.
        limits: what it may hold.
        take: waits until there is memory for it.
        read: makes of it what is returned, in a thread.

    Raises:
        UnsupportedType: the body is something else by its media type.
        UploadTooLarge: it has more bytes than an image in base64, or more numbers than are taken.
        InvalidFields: it is no JSON object.
    """
    json_length = request.headers.get(JSON_LENGTH)
    _check_type(request, is_binary=json_length is not None)
    error = too_large(FieldError(field="body", detail=f"{more_than(limits.image_bytes)}, all images together"))
    body = await read_bytes(request, limits, take, error)
    async with AsyncExitStack() as held:
        async with turn_of(request).resting():
            await held.enter_async_context(Services.of(request.app).parsing.hold(caller.who))
        return await run_in_threadpool(lambda: read(*_parse(body, json_length)))


def _check_type(request: Request, *, is_binary: bool) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    taken = (BYTES, JSON) if is_binary else (JSON,)
    if media_type not in taken:
        raise UnsupportedType(
            f"The body's Content-Type is {media_type or 'missing'}: send {' or '.join(taken)}.",
            headers={"Accept-Post": ", ".join(taken), "Connection": "close"},
        )


def _parse(body: bytes, json_length: str | None) -> tuple[dict[str, Any], bytes]:
    with at_field("body"):
        text, behind = split_body(body, json_length)
    text = utf8_json(text, "body")
    most = MOST_NUMBERS_BYTES + FRAMING_BYTES
    if len(text) > most and other_bytes(text, most) > most:
        detail = f"{more_than(MOST_NUMBERS_BYTES)} beside files in base64: send a larger image as a file"
        raise too_large(FieldError(field="body", detail=detail))
    if sum(map(text.count, (b"[", b"{", b'"'))) > MOST_PARTS:  # base64 has none of these
        detail = f"it has more than {MOST_PARTS} lists and texts: send a larger image as a file, or in flat lists (v2)"
        raise too_large(FieldError(field="body", detail=detail))
    with at_field("body"):
        found = from_json(text, allow_inf_nan=False)
    if not isinstance(found, dict):
        raise invalid("body", "it is no JSON object")
    return found, behind


@contextmanager
def at_field(field: str) -> Iterator[None]:
    """Say of which field a `ValueError` is, inside of the ``with`` block."""
    try:
        yield
    except ValueError as error:
        raise invalid(field, str(error)) from error


@contextmanager
def within(place: str) -> Iterator[None]:
    """Put the place of an instance before the fields of errors, inside of the ``with`` block."""
    try:
        yield
    except InvalidFields as error:
        inner = [one.model_copy(update={"field": f"{place}.{one.field}"}) for one in error.errors]
        raise InvalidFields(inner) from error
    except InvalidInput as error:
        error.field = f"{place}.{error.field}" if error.field else place
        raise


def without(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return what is given, but for some names."""
    return {name: value for name, value in given.items() if name not in names}
