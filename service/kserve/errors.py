"""Errors of both protocols, as OpenAPI shows them: `service.http.inference_errors` gives them their form."""

from __future__ import annotations

from typing import Any

from service.http.errors import (
    ApiError,
    Forbidden,
    InvalidFields,
    JobTooLarge,
    KeyReused,
    NoResult,
    NotFinished,
    NotFound,
    QueueFull,
    RateLimited,
    TooManyAtOnce,
    Unauthorized,
    Unavailable,
    UnsupportedType,
    UploadTooLarge,
)
from service.http.inference_errors import MEDIA_TYPE, as_error
from service.http.problems import problem_responses

from .schemas import InferenceError

_FOR_ALL = (Unauthorized, Forbidden, RateLimited)
OF_UPLOADS = (NotFound, UploadTooLarge, UnsupportedType, InvalidFields, TooManyAtOnce, Unavailable)
OF_JOBS = (*OF_UPLOADS, NoResult, KeyReused, QueueFull, JobTooLarge, NotFinished)


def error_responses(*kinds: type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the errors that an endpoint may answer with, those of all beside its own."""
    described = problem_responses(*_FOR_ALL, *kinds)
    return {status: {**one, "model": InferenceError, "content": _content(one)} for status, one in described.items()}


def _content(described: dict[str, Any]) -> dict[str, Any]:
    """Return the content of errors of one status, from that of problems."""
    (content,) = described["content"].values()
    examples = {slug: {"value": as_error(one["value"])} for slug, one in content["examples"].items()}
    return {MEDIA_TYPE: {"examples": examples}}
