"""Problems in answers, and of jobs, as exceptions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from extremal_client.errors import (
    ExtremalError,
    InvalidRequest,
    JobFailed,
    JobRemoved,
    NotAllowed,
    NotFound,
    ServiceError,
    Unavailable,
    UnexpectedAnswer,
)
from extremal_client.generated.schemas import FieldError, JobRead, Problem

from .messages import Answer
from .reading import read_as

MEDIA_TYPE = "application/problem+json"
TEMPORARY = frozenset({"unavailable", "rate-limited", "queue-full", "too-many-at-once"})
_OF_A_PROXY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
_KINDS: dict[int, type[ServiceError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def is_temporary(answer: Answer) -> bool:
    """Return whether the same request may be answered later."""
    if answer.media_type == MEDIA_TYPE:
        return error_of(answer).slug in TEMPORARY
    return answer.status in _OF_A_PROXY


def check(answer: Answer) -> Answer:
    """Return an answer that is none of an error.

    Raises:
        ServiceError: it is a problem.
        UnexpectedAnswer: it leads elsewhere.
    """
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise error_of(answer)
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        where = answer.headers.get("location", "another address")
        raise UnexpectedAnswer(
            f"{answer.url} leads to {where}: give the client that address, the service itself never redirects"
        )
    return answer


def error_of(answer: Answer) -> ServiceError:
    """Return the exception of an answer that is an error."""
    if answer.media_type == MEDIA_TYPE:
        problem = answer.json()
    else:
        detail = f"{answer.url} answers {answer.status}, and not as the service does: is this its address?"
        problem = {"status": answer.status, "title": "Not the service's answer", "detail": detail}
    kind = _KINDS.get(answer.status, ServiceError)
    error = kind(problem, errors=_errors(problem), retry_after_s=retry_after_s(answer))
    if answer.status == HTTPStatus.UNAUTHORIZED:
        error.add_note("Give the client the key: Client(key=...), or EP_KEY in the environment.")
    return error


def retry_after_s(answer: Answer) -> float | None:
    """Return the seconds after which to come back; None where the answer doesn't say."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def job_error(job: JobRead) -> ExtremalError:
    """Return the exception of a job that ended without a result."""
    if job.error is None:
        return JobRemoved(f"the job {job.id} was cancelled")
    failed = item_error(job.error)
    failed.job = job
    return failed


def item_error(problem: Problem) -> JobFailed:
    """Return the exception of a problem that stands in an answer."""
    return JobFailed({**problem}, errors=[])


def _errors(problem: dict[str, Any]) -> list[FieldError]:
    return [read_as(FieldError, one) for one in problem.get("errors") or []]
