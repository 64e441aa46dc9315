"""What `POST /v1/jobs` reads: an image and its parameters, as a multipart form or as JSON, within the limits."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Sequence
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
from service.validation import MAX_ERRORS, FieldError, field_errors

from .images import PostedImage, clean_name, image_error

MAX_PARAMS_BYTES = 64 * 1024
_MORE_PARTS = 16  # than images that there may be, so that the answer can name the others
_FRAMING_BYTES = 1024  # boundary and headers of a part of a form, or the keys of a JSON body

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
        UploadTooLarge: an image, all of them together, or the parameters have more bytes than they may.
        InvalidFields: parts or fields are missing, double, unknown, or have values that aren't allowed.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    readers = {MULTIPART: _read_form, JSON: _read_json}
    if media_type not in readers:
        raise UnsupportedType(
            f"The body's Content-Type is {media_type or 'missing'}: send {MULTIPART} or {JSON}.",
            headers={"Accept-Post": f"{MULTIPART}, {JSON}", "Connection": "close"},
        )
    return await readers[media_type](request, settings)


async def _read_form(request: Request, settings: ApiSettings) -> Upload:
    parts = settings.max_images + _MORE_PARTS
    too_large = _too_large_together(settings)
    most = _most_together(settings) + MAX_PARAMS_BYTES + parts * _FRAMING_BYTES
    parser = MultiPartParser(
        request.headers,
        _limited(request, most, too_large),
        max_files=parts,
        max_fields=parts,
        max_part_size=2 * MAX_PARAMS_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise _too_many(f"more than {parts}", settings.max_images) from error
        raise _invalid("image", f"the multipart form can't be read: {error.message}") from error
    except UnicodeError as error:  # of a charset that is no text's
        raise _invalid("image", f"the multipart form can't be read: {error}") from error
    try:
        return await _from_form(form, settings)
    finally:
        await form.close()


async def _from_form(form: FormData, settings: ApiSettings) -> Upload:
    for name in form:
        if name not in ("image", "params"):
            raise _invalid(clean_name(name), "there is no such part; the parts are image and params")
    parts = _image_parts(form)
    params = parse_params(await _params_part(form))
    _check_count(len(parts), params, settings.max_images)
    _check_sizes(parts, settings)
    images = [PostedImage(await part.read(), clean_name(part.filename or "")) for part in parts]
    return Upload(images=tuple(images), params=params)


def _image_parts(form: FormData) -> list[UploadFile]:
    parts = form.getlist("image")
    if not parts:
        raise _invalid("image", "the part is missing: send the image file as the part image")
    files = [part for part in parts if isinstance(part, UploadFile)]
    if len(files) < len(parts):
        raise _invalid("image", "the part must be a file, with a filename in its Content-Disposition")
    return files


def _check_sizes(parts: Sequence[UploadFile], settings: ApiSettings) -> None:
    """Refuse images that are too large, before they are read to memory."""
    sizes = [part.size or 0 for part in parts]
    wrong = [
        image_error(_more_than(settings.max_upload_bytes), image=k, count=len(parts), name=part.filename or "")
        for k, part in enumerate(parts)
        if sizes[k] > settings.max_upload_bytes
    ]
    if wrong:
        raise _too_large(*wrong)
    if sum(sizes) > _most_together(settings):
        raise _too_large_together(settings)


def _check_count(count: int, params: Spec, most: int) -> None:
    if count > 1 and not isinstance(params, ClassChannelsSpec):
        raise _invalid(
            "image", f"there are {count} images: post one job for each (only the task class_channels takes several)"
        )
    if count > most:
        raise _too_many(str(count), most)


async def _params_part(form: FormData) -> bytes:
    parts = form.getlist("params")
    if len(parts) > 1:
        raise _invalid("params", f"there are {len(parts)} parts params: send one JSON object")
    data = b"".join(
        [await part.read() if isinstance(part, UploadFile) else part.encode(errors="replace") for part in parts]
    )
    if len(data) > MAX_PARAMS_BYTES:
        raise _too_large(FieldError(field="params", detail=_more_than(MAX_PARAMS_BYTES)))
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
    body = _limited(request, max_base64 + MAX_PARAMS_BYTES + _FRAMING_BYTES, _too_large_json(settings))
    chunks = [chunk async for chunk in body]
    # Megabytes of base64 would hold up everyone else.
    return await run_in_threadpool(_from_json, b"".join(chunks), settings)


def _from_json(text: bytes, settings: ApiSettings) -> Upload:
    try:
        body = JobBody.model_validate_json(text)
    except ValidationError as error:
        raise InvalidFields(field_errors(error.errors(), around=list(JobBody.model_fields))) from error
    texts = _base64_texts(body)
    _check_count(len(texts), body.params, settings.max_images)
    images = _decoded(texts)
    if sum(len(image.data) for image in images) > settings.max_upload_bytes:
        raise _too_large_json(settings)
    return Upload(images=tuple(images), params=body.params)


def _base64_texts(body: JobBody) -> list[str]:
    if body.image is not None and body.images is not None:
        raise _invalid("image", "send image, or several as images, not both")
    if body.images is not None:
        if not body.images:
            raise _invalid("images", "there is none: send at least one")
        return body.images
    if body.image is None:
        raise _invalid("image", "Field required (or images, for the task class_channels)")
    return [body.image]


def _decoded(texts: Sequence[str]) -> list[PostedImage]:
    images, wrong = [], []
    for k, text in enumerate(texts):
        try:
            images.append(PostedImage(_from_base64(text)))
        except ValueError as error:
            wrong.append(image_error(f"is not base64 ({error})", image=k, count=len(texts)))
    if wrong:
        raise InvalidFields(wrong[:MAX_ERRORS])
    return images


def _from_base64(text: str) -> bytes:
    """Return the bytes; raises `ValueError`."""
    _, comma, data = text.partition(",") if text.startswith("data:") else ("", ",", text)
    if not comma:
        raise ValueError("a data URL has a comma before its data")
    return base64.b64decode("".join(data.split()), validate=True)  # line breaks are common and harmless


async def _limited(request: Request, max_bytes: int, too_large: UploadTooLarge) -> AsyncGenerator[bytes, None]:
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > max_bytes:
            raise too_large
        yield chunk


def _most_together(settings: ApiSettings) -> int:
    return max(settings.max_upload_bytes, settings.max_total_upload_bytes)  # one image may always have its own limit


def _too_large_together(settings: ApiSettings) -> UploadTooLarge:
    detail = f"{_more_than(_most_together(settings))}, all images together; each may have {settings.max_upload_bytes}"
    return _too_large(FieldError(field="image", detail=detail))


def _too_large_json(settings: ApiSettings) -> UploadTooLarge:
    """Return the error of a JSON body, whose images together may have no more than one in a form."""
    detail = f"{_more_than(settings.max_upload_bytes)}, all images of a JSON body together: send several as {MULTIPART}"
    return _too_large(FieldError(field="image", detail=detail))


def _more_than(max_bytes: int) -> str:
    return f"it has more than the {max_bytes} bytes that it may have"


def _too_large(*wrong: FieldError) -> UploadTooLarge:
    return UploadTooLarge(
        f"{wrong[0].field}: {wrong[0].detail}",
        headers={"Connection": "close"},  # keeps the server from reading the rest of the body
        errors=[error.model_dump(exclude_none=True) for error in wrong[:MAX_ERRORS]],
    )


def _too_many(count: str, most: int) -> InvalidFields:
    return _invalid("image", f"there are {count} images: at most {most} are taken at once, by the task class_channels")


def _invalid(field: str, detail: str) -> InvalidFields:
    return InvalidFields([FieldError(field=field, detail=detail)])
