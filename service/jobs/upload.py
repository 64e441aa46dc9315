"""What `POST /v1/jobs` reads: an image and its parameters, as a multipart form or as JSON, within the limits."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from ep_core.spec import ExtremalSpec, Spec
from service.deps import SettingsDep
from service.errors import InvalidFields, UnsupportedType, UploadTooLarge
from service.validation import FieldError, field_errors

MAX_PARAMS_BYTES = 64 * 1024
_MAX_PARTS = 16  # more than the two there are, so that the answer can name the others
_FRAMING_BYTES = 16 * 1024  # boundaries and headers of a form, the keys of a JSON body

MULTIPART = "multipart/form-data"
JSON = "application/json"

_params = TypeAdapter[Spec](Spec)


@dataclass(frozen=True)
class Upload:
    """A posted job: the image's bytes, not looked at yet, and its valid parameters."""

    image: bytes
    params: Spec


class JobBody(BaseModel):
    """The JSON form of an upload."""

    model_config = ConfigDict(extra="forbid")

    image: Annotated[str, Field(description="The image file in base64, bare or as a `data:` URL.")]
    params: Spec = ExtremalSpec()


async def read_upload(request: Request, settings: SettingsDep) -> Upload:
    """Read the body as it comes in, and stop as soon as it is longer than an allowed one can be.

    Raises:
        UnsupportedType: the body is neither a multipart form nor JSON.
        UploadTooLarge: the image or the parameters have more bytes than they may.
        InvalidFields: parts or fields are missing, double, unknown, or have values that aren't allowed.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    readers = {MULTIPART: _read_form, JSON: _read_json}
    if media_type not in readers:
        raise UnsupportedType(
            f"The body's Content-Type is {media_type or 'missing'}: send {MULTIPART} or {JSON}.",
            headers={"Accept-Post": f"{MULTIPART}, {JSON}", "Connection": "close"},
        )
    upload = await readers[media_type](request, settings.max_upload_bytes)
    if len(upload.image) > settings.max_upload_bytes:
        raise _too_large("image", settings.max_upload_bytes)
    return upload


async def _read_form(request: Request, max_image: int) -> Upload:
    body = _limited(request, max_image + MAX_PARAMS_BYTES + _FRAMING_BYTES, max_image)
    parser = MultiPartParser(
        request.headers, body, max_files=_MAX_PARTS, max_fields=_MAX_PARTS, max_part_size=2 * MAX_PARAMS_BYTES
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _invalid("image", f"the multipart form can't be read: {error.message}") from error
    try:
        return await _from_form(form)
    finally:
        await form.close()


async def _from_form(form: FormData) -> Upload:
    for name in form:
        if name not in ("image", "params"):
            raise _invalid(name[:100], "there is no such part; the parts are image and params")
    return Upload(image=await _image_part(form), params=parse_params(await _params_part(form)))


async def _image_part(form: FormData) -> bytes:
    match form.getlist("image"):
        case [UploadFile() as part]:
            return await part.read()
        case []:
            raise _invalid("image", "the part is missing: send the image file as the part image")
        case [_]:
            raise _invalid("image", "the part must be a file, with a filename in its Content-Disposition")
        case parts:
            raise _invalid("image", f"there are {len(parts)} images: post one job for each")


async def _params_part(form: FormData) -> bytes:
    parts = form.getlist("params")
    if len(parts) > 1:
        raise _invalid("params", f"there are {len(parts)} parts params: send one JSON object")
    data = b"".join([await part.read() if isinstance(part, UploadFile) else part.encode() for part in parts])
    if len(data) > MAX_PARAMS_BYTES:
        raise _too_large("params", MAX_PARAMS_BYTES)
    return data


def parse_params(text: bytes) -> Spec:
    """Return the parameters that a JSON text holds; an empty one means the defaults."""
    try:
        return _params.validate_json(text if text.strip() else b"{}")
    except ValidationError as error:
        raise InvalidFields(field_errors(error.errors())) from error


async def _read_json(request: Request, max_image: int) -> Upload:
    max_base64 = 4 * (max_image + 2) // 3
    chunks = [chunk async for chunk in _limited(request, max_base64 + MAX_PARAMS_BYTES + _FRAMING_BYTES, max_image)]
    return await run_in_threadpool(_from_json, b"".join(chunks))  # megabytes of base64 would hold up everyone else


def _from_json(text: bytes) -> Upload:
    try:
        body = JobBody.model_validate_json(text)
    except ValidationError as error:
        raise InvalidFields(field_errors(error.errors(), around=list(JobBody.model_fields))) from error
    return Upload(image=_from_base64(body.image), params=body.params)


def _from_base64(text: str) -> bytes:
    _, comma, data = text.partition(",") if text.startswith("data:") else ("", ",", text)
    try:
        if not comma:
            raise binascii.Error("a data URL has a comma before its data")
        return base64.b64decode("".join(data.split()), validate=True)  # line breaks are common and harmless
    except ValueError as error:
        raise _invalid("image", f"is not base64 ({error})") from error


async def _limited(request: Request, max_bytes: int, max_image: int) -> AsyncGenerator[bytes, None]:
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > max_bytes:
        raise _too_large("image", max_image)
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > max_bytes:
            raise _too_large("image", max_image)
        yield chunk


def _too_large(field: str, max_bytes: int) -> UploadTooLarge:
    detail = f"it has more than the {max_bytes} bytes that it may have"
    # Closing keeps the server from reading the rest of the body.
    return UploadTooLarge(
        f"{field}: {detail}", headers={"Connection": "close"}, errors=[FieldError(field=field, detail=detail)]
    )


def _invalid(field: str, detail: str) -> InvalidFields:
    return InvalidFields([FieldError(field=field, detail=detail)])
