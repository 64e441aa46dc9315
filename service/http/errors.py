"""Errors of the API itself, on top of the engine's (`ep_core.errors`); `worker.broker.problems` has their types."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from worker.broker.contract import Problem
from worker.broker.problems import make_problem

from .validation import FieldError

RETRY_AFTER_S = 5


class ApiError(Exception):
    """A request that can't be answered as asked. Subclasses name its type; `members` are further problem members."""

    slug: ClassVar[str]
    example: ClassVar[str]
    headers: Mapping[str, str] | None
    problem: Problem

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.headers = headers
        self.problem = make_problem(self.slug, detail, **members)


class Unauthorized(ApiError):
    """The service has API keys, and the request came without one, or with an unknown one."""

    slug = "unauthorized"
    example = "This service needs an API key: send it as the header Authorization: Bearer <key>."


class Forbidden(ApiError):
    """A web page of another origin sent a request that it may not send."""

    slug = "forbidden"
    example = "Pages of other origins may not ask this here: the operator can allow theirs with EP_CORS_ORIGINS."


class NotFound(ApiError):
    """The URL names nothing that exists: it never existed, was deleted, or its retention is over."""

    slug = "not-found"
    example = "There is no job '0f8fad5b': it never was, was deleted, or has expired."


class NoResult(ApiError):
    """The job has no result: `state` is its state, `error` the reason of its failure, if it failed."""

    slug = "no-result"
    example = "The job is running: ask again when its status is succeeded."


class KeyReused(ApiError):
    """The `Idempotency-Key` was used with another request before."""

    slug = "key-reused"
    example = "This Idempotency-Key came with another image or other params before: use a new key for a new request."


class UploadTooLarge(ApiError):
    """The body, or a part of it, has more bytes than the limit, or the image more pixels."""

    slug = "upload-too-large"
    example = "image: it has more than the 20000000 bytes that it may have"


class JobTooLarge(ApiError):
    """A job that may write more than the service's store may hold."""

    slug = "job-too-large"
    example = (
        "The job may take 4200.0 MB, and the service's Redis holds 2013.3 MB of jobs at most: ask for fewer areas (or "
        "methods), or send a smaller image. The operator can raise its maxmemory, or set EP_BLOB_URL."
    )


class UnsupportedType(ApiError):
    """The body's media type isn't supported; `Accept-Post` lists those that are."""

    slug = "unsupported-type"
    example = "The body's Content-Type is image/jpeg: send multipart/form-data or application/json."


class InvalidFields(ApiError):
    """Fields of the request can't be used; `errors` says which, why, and what is allowed."""

    slug = "invalid-input"
    example = "areas.2: 2.0 is too large: it must be less than 1"

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        more = f" (and {len(errors) - 1} more: see `errors`)" if len(errors) > 1 else ""
        listed = [error.model_dump(exclude_none=True) for error in errors]
        super().__init__(f"{errors[0].field}: {errors[0].detail}{more}", errors=listed)


class RateLimited(ApiError):
    """More requests than the caller's rate limit; `Retry-After` says when to try again."""

    slug = "rate-limited"
    example = "More requests than 600/minute are not taken: try again in 4 s."


class QueueFull(ApiError):
    """Too many jobs wait; `Retry-After` says when to try again."""

    slug = "queue-full"
    example = "100 jobs wait already, and no more may: post this one again when some have run."

    def __init__(self, most: int, *, retry_after_s: int = RETRY_AFTER_S) -> None:
        detail = f"{most} jobs wait already, and no more may: post this one again when some have run."
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class TooManyAtOnce(ApiError):
    """Too many of the caller's requests wait for their turn; `Retry-After` says when to try again."""

    slug = "too-many-at-once"
    example = "200 of your requests with images wait already: send the others when these are answered."

    def __init__(self, most: int) -> None:
        detail = f"{most} of your requests with images wait already: send the others when these are answered."
        super().__init__(detail, headers={"Retry-After": str(RETRY_AFTER_S)})


class WorkerProblem(ApiError):
    """Problem that a worker reports for a request it can't answer."""

    def __init__(self, problem: Problem) -> None:
        Exception.__init__(self, problem.detail)
        self.headers = {"Retry-After": str(RETRY_AFTER_S)} if problem.status == HTTPStatus.SERVICE_UNAVAILABLE else None
        self.problem = _with_errors(problem)


def _with_errors(problem: Problem) -> Problem:
    """Return a problem with the field at fault listed, as in the API's own."""
    members = problem.model_extra or {}
    if "field" not in members:
        return problem
    entry = FieldError(field=members["field"], detail=problem.detail, nearest=members.get("nearest"))
    return problem.model_copy(update={"errors": [entry.model_dump(exclude_none=True)]})


class NotFinished(ApiError):
    """The request's jobs were not all finished in time. They go on: `jobs` has their addresses."""

    slug = "not-finished"
    example = "The job goes on: /v1/jobs/0f8fad5bd9cb469fa165708677289501 has its state, and its result when it ends."


class Unavailable(ApiError):
    """A part that the API needs is unavailable for now; try again after `Retry-After` seconds."""

    slug = "unavailable"
    example = "The service's store can't be reached, or takes nothing for now. Try again soon."

    def __init__(self, detail: str, *, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})
