"""Parsed upload of a job or batch: images, parameters and options."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ep_core.schemas.tasks import Spec, task_of
from service.http.errors import InvalidFields
from service.http.validation import field_errors

from .images import PostedImage
from .limits import OF_SEVERAL, UploadLimits, invalid, too_many
from .options import JobOptions

_params = TypeAdapter[Spec](Spec)


@dataclass(frozen=True)
class Upload:
    """Images, or their addresses, and valid parameters."""

    images: tuple[PostedImage, ...]
    params: Spec
    urls: tuple[str, ...] = ()
    """Of further images, not fetched yet."""
    options: JobOptions = field(default_factory=JobOptions)
    target_picture: PostedImage | None = None
    """The target's own, posted as `target_image` or `target_mask`."""


def utf8_json(text: bytes, field: str) -> bytes:
    """Return a JSON text without a byte order mark; raises `InvalidFields` where it is in UTF-16 or UTF-32."""
    if text.startswith((BOM_UTF16_LE, BOM_UTF16_BE, BOM_UTF32_BE)):
        raise invalid(field, "its text is in UTF-16 or UTF-32: send it in UTF-8")
    return text.removeprefix(BOM_UTF8)


def parse_params(text: bytes) -> Spec:
    """Return the parameters that a JSON text holds; an empty one means the defaults."""
    try:
        return _params.validate_json(utf8_json(text, "params").strip() or b"{}")
    except ValidationError as error:
        raise InvalidFields(field_errors(error.errors())) from error


def parse_options(given: Mapping[str, Any]) -> JobOptions:
    """Return the options that are given, texts or values."""
    try:
        return JobOptions.model_validate(given)
    except ValidationError as error:
        raise InvalidFields(field_errors(error.errors(), around=list(JobOptions.model_fields))) from error


def check_count(count: int, params: Spec, limits: UploadLimits) -> None:
    """Raise `InvalidFields` where there are more images than the request may have."""
    task = task_of(params)
    if limits.is_batch and task.takes_several:
        raise invalid("task", f"{task.name} takes all its images in one job: post them to /v1/jobs")
    if count > 1 and not limits.is_batch and not task.takes_several:
        raise invalid(
            "image",
            f"there are {count} images: post them to /v1/batches, or one job for each (only the task {OF_SEVERAL} "
            "takes several)",
        )
    if count > limits.images:
        raise too_many(str(count), limits)


def check_urls(urls: Sequence[str], limits: UploadLimits) -> tuple[str, ...]:
    """Return the addresses of images; raises `InvalidFields` where the operator takes none."""
    if urls and not limits.takes_urls:
        raise invalid(
            "image_url", "images aren't fetched here: send the file itself (the operator can allow it: EP_FETCH_URLS)"
        )
    return tuple(urls)
