"""An upload as a JSON object: images in base64."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from tempfile import SpooledTemporaryFile
from typing import Annotated, BinaryIO, cast

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, ValidationError
from starlette.datastructures import UploadFile

from ep_core.schemas.targets import TARGET_PARTS, check_pictures
from ep_core.schemas.tasks import DEFAULT_TASK, Spec
from service.access.shares import Take
from service.http.errors import InvalidFields, UploadTooLarge
from service.http.validation import MAX_ERRORS, FieldError, field_errors

from .images import PostedImage, image_error, unusable
from .limits import (
    FRAMING_BYTES,
    MAX_PARAMS_BYTES,
    OF_SEVERAL,
    SPOOL_BYTES,
    UploadLimits,
    invalid,
    limited,
    more_than,
    too_large,
    too_large_json,
)
from .options import JobOptions
from .scan import other_bytes
from .upload import Upload, check_count, check_urls, utf8_json


class JobBody(JobOptions):
    """The JSON form of an upload."""

    image: Annotated[str | None, Field(description="The image file in base64, bare or as a `data:` URL.")] = None
    images: Annotated[list[str] | None, Field(description=f"Several: a batch, or the task `{OF_SEVERAL}`.")] = None
    image_url: Annotated[
        str | list[str] | None, Field(description="The address of an image, or several, where the operator allows it.")
    ] = None
    params: Spec = DEFAULT_TASK.spec.model_validate({})
    target_image: Annotated[
        str | None,
        Field(description="The second picture, where the target is the likeness to one (`similar_to`)."),
    ] = None
    target_mask: Annotated[
        str | None,
        Field(
            description="The region, where the target is a segment within one (`within`): a picture as large as the "
            "image, white where the region is, black or transparent elsewhere."
        ),
    ] = None

    @property
    def urls(self) -> list[str]:
        """The addresses of images."""
        return [self.image_url] if isinstance(self.image_url, str) else self.image_url or []

    @property
    def target_pictures(self) -> dict[str, str]:
        """The target's own pictures that are given, in base64, by their names."""
        return {name: text for name in TARGET_PARTS if (text := getattr(self, name)) is not None}

    @property
    def options(self) -> JobOptions:
        """The options alone."""
        return JobOptions(**{name: getattr(self, name) for name in JobOptions.model_fields})


_COPIES = 3
"""Of an image in base64 that are in memory while it is read: the body, the text, the bytes."""
_FIELDS = ["image", "images", "image_url", "params", *TARGET_PARTS, *JobOptions.model_fields]


async def read_json(request: Request, limits: UploadLimits, take: Take) -> Upload:
    """Read a JSON body as it comes in; raises as `reader.read_upload`."""
    # Megabytes of base64 would hold up everyone else.
    return await run_in_threadpool(upload_from_json, await read_text(request, limits, take), limits)


async def read_text(request: Request, limits: UploadLimits, take: Take) -> bytes:
    """Read the text of a JSON body as it comes in.

    Raises:
        UploadTooLarge: it is too long, or what stands in it beside images is.
        InvalidFields: it is empty, or in another encoding than UTF-8.
    """
    text = utf8_json(await read_bytes(request, limits, take, too_large_json(limits)), "body")
    if not text or text.isspace():
        raise invalid("body", "it is empty: send a JSON object with the image in base64, or a multipart form")
    most = MAX_PARAMS_BYTES + FRAMING_BYTES
    if len(text) > most and await run_in_threadpool(other_bytes, text, most) > most:
        raise too_large(FieldError(field="params", detail=f"{more_than(MAX_PARAMS_BYTES)}, beside images in base64"))
    return text


async def read_bytes(request: Request, limits: UploadLimits, take: Take, error: UploadTooLarge) -> bytes:
    """Read a body as it comes in; raises `error` where it is longer than an image in base64 may be."""
    max_base64 = 4 * (limits.image_bytes + 2) // 3
    body = limited(request, max_base64 + MAX_PARAMS_BYTES + FRAMING_BYTES, error)
    file = UploadFile(cast("BinaryIO", SpooledTemporaryFile(max_size=SPOOL_BYTES)), size=0)  # noqa: SIM115
    try:
        async for chunk in body:
            await file.write(chunk)
        urls = limits.images if limits.takes_urls else 0  # how many there are is known only once it is read
        await take(_COPIES * (file.size or 0) + limits.fetched_bytes(urls))
        await file.seek(0)
        return await file.read()
    finally:
        await file.close()


def upload_from_json(text: bytes, limits: UploadLimits) -> Upload:
    """Return the upload that a JSON body is; raises as `reader.read_upload`."""
    try:
        body = JobBody.model_validate_json(text)
    except ValidationError as error:
        raise InvalidFields(field_errors(error.errors(), around=_FIELDS)) from error
    if len(body.model_dump_json(exclude={"image", "images", *TARGET_PARTS})) > MAX_PARAMS_BYTES + FRAMING_BYTES:
        raise too_large(FieldError(field="params", detail=more_than(MAX_PARAMS_BYTES)))
    texts = _base64_texts(body)
    urls = check_urls(body.urls, limits)
    check_count(len(texts) + len(urls), body.params, limits)
    check_pictures(body.params.target, body.target_pictures)
    images = _decoded(texts, limits)
    pictures = [_target_picture(name, text) for name, text in body.target_pictures.items()]
    if sum(len(image.data) for image in [*images, *pictures]) > limits.image_bytes:
        raise too_large_json(limits)
    return Upload(images, body.params, urls, body.options, target_picture=next(iter(pictures), None))


def _base64_texts(body: JobBody) -> list[str]:
    if body.image is not None and body.images is not None:
        raise invalid("image", "send image, or several as images, not both")
    if body.images is not None:
        if not body.images and not body.urls:
            raise invalid("images", "there is none: send at least one")
        return body.images
    if body.image is None and not body.urls:
        raise invalid("image", f"it is missing: send image (or images, for a batch or the task {OF_SEVERAL})")
    return [] if body.image is None else [body.image]


def _decoded(texts: Sequence[str], limits: UploadLimits) -> tuple[PostedImage, ...]:
    images, wrong = [], []
    for k, text in enumerate(texts):
        try:
            images.append(PostedImage(from_base64(text)))
        except ValueError as error:
            detail = f"is not base64 ({error})"
            wrong.append(image_error(detail, image=k, count=len(texts)))
            images.append(unusable("", detail))
    if wrong and not limits.is_batch:
        raise InvalidFields(wrong[:MAX_ERRORS])
    return tuple(images)


def _target_picture(name: str, text: str) -> PostedImage:
    try:
        return PostedImage(from_base64(text))
    except ValueError as error:
        raise invalid(name, f"is not base64 ({error})") from error


def from_base64(text: str) -> bytes:
    """Return the bytes of a base64 text, or of a ``data:`` URL in base64; raises `ValueError`."""
    _, comma, data = text.partition(",") if text.startswith("data:") else ("", ",", text)
    if not comma:
        raise ValueError("a data URL has a comma before its data")
    return base64.b64decode("".join(data.split()), validate=True)  # line breaks are common and harmless
