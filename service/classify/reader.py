"""Parsing of a classification's body, as a multipart form or as JSON, within the limits."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, ValidationError

from service.access.shares import Take
from service.http.errors import InvalidFields
from service.http.validation import FieldError, field_errors
from service.uploads.body import from_base64, read_text
from service.uploads.form import image_files, no_image, open_form, oversized, single_texts
from service.uploads.images import PostedImage
from service.uploads.limits import UploadLimits, invalid, more_than, too_large, too_many
from service.uploads.reader import is_form
from service.uploads.upload import check_urls
from worker.broker.classify_queries import ClassifyParams, ClassifyQuery


class ClassifyBody(ClassifyParams):
    """The JSON form of a query."""

    image: Annotated[str | None, Field(description="The image file in base64, bare or as a `data:` URL.")] = None
    image_url: Annotated[str | None, Field(description="The address of the image, where the operator allows it.")] = (
        None
    )


_FIELDS = tuple(ClassifyParams.model_fields)
_PARTS = ("image", "image_url", *_FIELDS)


async def read_query(request: Request, limits: UploadLimits, take: Take) -> tuple[ClassifyQuery, PostedImage | str]:
    """Return the query and its image, or the image's address.

    Reads the body as it comes in, and stops as soon as it is longer than an allowed one can be.

    Args:
        request: whose body it is.
        limits: what it may hold.
        take: waits until there is memory for what was sent, in bytes.

    Raises:
        UnsupportedType: the body is neither a multipart form nor JSON.
        UploadTooLarge: the image has more bytes than it may have.
        InvalidFields: parts or fields are missing, double, unknown, or have values that aren't allowed.
    """
    if is_form(request):
        return await _read_form(request, limits, take)
    # Megabytes of base64 would hold up everyone else.
    return await run_in_threadpool(query_from_json, await read_text(request, limits, take), limits)


async def _read_form(request: Request, limits: UploadLimits, take: Take) -> tuple[ClassifyQuery, PostedImage | str]:
    async with open_form(request, limits, names=_PARTS) as form:
        files = image_files(form)
        urls = check_urls(list(single_texts(form, ["image_url"]).values()), limits)
        if not files and not urls:
            raise no_image()
        _check_count(len(files) + len(urls), limits)
        wrong = oversized(files, limits)
        if wrong:
            raise too_large(*wrong.values())
        await take(sum(file.size or 0 for file in files) + limits.fetched_bytes(len(urls)))
        query = _query(single_texts(form, _FIELDS))
        return query, urls[0] if urls else PostedImage(await files[0].read())


def _check_count(count: int, limits: UploadLimits) -> None:
    if count > limits.images:
        raise too_many(str(count), limits)


def query_from_json(text: bytes, limits: UploadLimits) -> tuple[ClassifyQuery, PostedImage | str]:
    """Return the query and the image that a JSON body is; raises as `read_query`."""
    try:
        body = ClassifyBody.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InvalidFields(field_errors(error.errors(), around=_PARTS)) from error
    if body.image is None and body.image_url is None:
        raise invalid("image", "it is missing: send image in base64, or its address as image_url")
    _check_count((body.image is not None) + (body.image_url is not None), limits)
    query = _query(body.model_dump(exclude={"image", "image_url"}))
    if body.image_url is not None:
        return query, check_urls([body.image_url], limits)[0]
    return query, _decoded(body.image or "", limits)


def _decoded(text: str, limits: UploadLimits) -> PostedImage:
    try:
        image = PostedImage(from_base64(text))
    except ValueError as error:
        raise invalid("image", f"is not base64 ({error})") from error
    if len(image.data) > limits.image_bytes:
        raise too_large(FieldError(field="image", detail=more_than(limits.image_bytes)))
    return image


def _query(given: dict[str, Any]) -> ClassifyQuery:
    try:
        return ClassifyQuery.model_validate(given)
    except ValidationError as error:
        raise InvalidFields(field_errors(error.errors(), around=_PARTS)) from error
