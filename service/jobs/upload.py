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

from ep_core.spec import ClassChannelsSpec, ExtremalSpec, Spec
from service.deps import SettingsDep
from service.errors import InvalidFields, UnsupportedType, UploadTooLarge
from service.settings import ApiSettings
from service.validation import FieldError, field_errors

from .images import PostedImage, image_field

MAX_PARAMS_BYTES = 64 * 1024
MAX_NAME_CHARS = 100
_MORE_PARTS = 16  # than images that there may be, so that the answer can name the others
_FRAMING_BYTES = 16 * 1024  # boundaries and headers of a form, the keys of a JSON body

MULTIPART = "multipart/form-data"
JSON = "application/json"

_params = TypeAdapter[Spec](Spec)


@dataclass(frozen=True)
class Upload:
    """A posted job: its images, and its valid parameters."""

    images: tuple[PostedImage, ...]
    params: Spec


class JobBody(BaseModel):
    """The JSON form of an upload."""

    model_config = ConfigDict(extra="forbid")

    image: Annotated[str | None, Field(description="The image file in base64, bare or as a `data:` URL.")] = None
    images: Annotated[list[str] | None, Field(description="Several of them, for the task `class_channels`.")] = None
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
    upload = await readers[media_type](request, settings)
    _check_count(upload, settings.max_images)
    return upload


async def _read_form(request: Request, settings: ApiSettings) -> Upload:
    most = max(settings.max_upload_bytes, settings.max_total_upload_bytes)
    body = _limited(request, most + MAX_PARAMS_BYTES + _FRAMING_BYTES, most)
    parts = settings.max_images + _MORE_PARTS
    parser = MultiPartParser(
        request.headers, body, max_files=parts, max_fields=parts, max_part_size=2 * MAX_PARAMS_BYTES
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _invalid("image", f"the multipart form can't be read: {error.message}") from error
    try:
        return await _from_form(form, settings.max_upload_bytes)
    finally:
        await form.close()


async def _from_form(form: FormData, max_image: int) -> Upload:
    for name in form:
        if name not in ("image", "params"):
            raise _invalid(name[:100], "there is no such part; the parts are image and params")
    images = await _image_parts(form, max_image)
    return Upload(images=images, params=parse_params(await _params_part(form)))


async def _image_parts(form: FormData, max_image: int) -> tuple[PostedImage, ...]:
    parts = form.getlist("image")
    if not parts:
        raise _invalid("image", "the part is missing: send the image file as the part image")
    images = []
    for k, part in enumerate(parts):
        if not isinstance(part, UploadFile):
            raise _invalid("image", "the part must be a file, with a filename in its Content-Disposition")
        if (part.size or 0) > max_image:
            raise _too_large(image_field(k, len(parts)), max_image)
        images.append(PostedImage(await part.read(), (part.filename or "")[:MAX_NAME_CHARS]))
    return tuple(images)


def _check_count(upload: Upload, most: int) -> None:
    count, several = len(upload.images), isinstance(upload.params, ClassChannelsSpec)
    if count > 1 and not several:
        raise _invalid(
            "image", f"there are {count} images: post one job for each (only the task class_channels takes several)"
        )
    if count > most:
        raise _invalid("image", f"there are {count} images: at most {most} are taken at once")


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


async def _read_json(request: Request, settings: ApiSettings) -> Upload:
    most = settings.max_upload_bytes  # of all images together: the body is held in memory
    max_base64 = 4 * (most + 2) // 3
    chunks = [chunk async for chunk in _limited(request, max_base64 + MAX_PARAMS_BYTES + _FRAMING_BYTES, most)]
    # Megabytes of base64 would hold up everyone else.
    upload = await run_in_threadpool(_from_json, b"".join(chunks))
    if sum(len(image.data) for image in upload.images) > most:
        raise _too_large("image", most)
    return upload


def _from_json(text: bytes) -> Upload:
    try:
        body = JobBody.model_validate_json(text)
    except ValidationError as error:
        raise InvalidFields(field_errors(error.errors(), around=list(JobBody.model_fields))) from error
    if (body.image is None) == (body.images is None):
        wrong = "Field required" if body.image is None else "send image, or several as images, not both"
        raise _invalid("image", wrong)
    texts = [body.image] if body.image is not None else body.images or []
    if not texts:
        raise _invalid("images", "there is none: send at least one")
    images = [_from_base64(text, image_field(k, len(texts))) for k, text in enumerate(texts)]
    return Upload(images=tuple(PostedImage(data) for data in images), params=body.params)


def _from_base64(text: str, field: str) -> bytes:
    _, comma, data = text.partition(",") if text.startswith("data:") else ("", ",", text)
    try:
        if not comma:
            raise binascii.Error("a data URL has a comma before its data")
        return base64.b64decode("".join(data.split()), validate=True)  # line breaks are common and harmless
    except ValueError as error:
        raise _invalid(field, f"is not base64 ({error})") from error


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
