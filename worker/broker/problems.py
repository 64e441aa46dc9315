"""Errors as problem details (RFC 9457), and the table of their types, for all floors. Imports no torch."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from ep_core.errors import InvalidInput, ModelUnavailable, UnknownName

from .contract import Problem


class ProblemType(NamedTuple):
    """A kind of problem; its stable identifier is ``/problems/{slug}``, by its slug in `PROBLEM_TYPES`."""

    title: str
    status: int


PROBLEM_TYPES = {
    "unauthorized": ProblemType("Unauthorized", 401),
    "forbidden": ProblemType("Forbidden", 403),
    "not-found": ProblemType("Not found", 404),
    "no-result": ProblemType("No result", 409),
    "key-reused": ProblemType("Key reused", 409),
    "upload-too-large": ProblemType("Upload too large", 413),
    "image-too-large": ProblemType("Image too large", 413),
    "job-too-large": ProblemType("Job too large", 413),
    "unsupported-type": ProblemType("Unsupported type", 415),
    "invalid-input": ProblemType("Invalid input", 422),
    "unknown-name": ProblemType("Unknown name", 422),
    "unreadable-image": ProblemType("Unreadable image", 422),
    "not-finite": ProblemType("Scores are not finite", 422),
    "method-unavailable": ProblemType("Method unavailable", 422),
    "rate-limited": ProblemType("Rate limited", 429),
    "queue-full": ProblemType("Queue full", 429),
    "too-many-at-once": ProblemType("Too many at once", 429),
    "internal-error": ProblemType("Internal error", 500),
    "worker-lost": ProblemType("Worker lost", 500),
    "device-failed": ProblemType("Device failed", 500),
    "unavailable": ProblemType("Unavailable", 503),
    "model-unavailable": ProblemType("Model unavailable", 503),
    "out-of-memory": ProblemType("Out of memory", 503),
    "timed-out": ProblemType("Timed out", 504),
    "not-finished": ProblemType("Not finished", 504),
}


def make_problem(slug: str, detail: str, **members: object) -> Problem:
    """Return a problem of a type in `PROBLEM_TYPES`.

    Args:
        slug: of the type, such as ``unreadable-image``.
        detail: what is wrong and what to change.
        members: further members, such as ``field``.

    Raises:
        KeyError: there is no such type.
    """
    title, status = PROBLEM_TYPES[slug]
    return Problem(type=f"/problems/{slug}", title=title, status=status, detail=detail, **members)


def http_problem(status: HTTPStatus, detail: str) -> Problem:
    """Return a problem that HTTP itself has a name for, such as ``/problems/method-not-allowed``."""
    slug = status.phrase.lower().replace(" ", "-")
    return Problem(type=f"/problems/{slug}", title=status.phrase.capitalize(), status=status, detail=detail)


def problem_from(error: InvalidInput | ModelUnavailable) -> Problem:
    """Return the problem of one of the engine's own errors: 413, 422 or 503.

    ``field`` names the input at fault, ``nearest`` the closest known names, where the error carries them.
    """
    if isinstance(error, ModelUnavailable):
        return make_problem(error.slug, str(error))
    members: dict[str, object] = {}
    if error.field is not None:
        members["field"] = error.field
    if isinstance(error, UnknownName):
        members["nearest"] = error.nearest
    return make_problem(error.slug, error.detail, **members)


def worker_lost() -> Problem:
    """Return the problem of a job whose worker died or hung each time it ran."""
    return make_problem(
        "worker-lost",
        "The workers that ran this job died or hung, each time that it was tried. Post the job again; if that fails "
        "too, ask for fewer areas or a smaller model.",
    )


def timed_out(seconds: int) -> Problem:
    """Return the problem of a job that ran longer than a job may."""
    return make_problem(
        "timed-out",
        f"The job ran longer than the {seconds} s that a job may take. Ask for fewer areas or iterations.",
    )


def out_of_memory() -> Problem:
    """Return the problem of a job that needs more memory than its worker has."""
    return make_problem(
        "out-of-memory",
        "The worker has too little memory for this job. Ask for fewer areas, or take a smaller model.",
    )


def internal_error(incident: str) -> Problem:
    """Return the problem of an unforeseen error; the stack trace lies in the log, under the id `incident`."""
    return make_problem(
        "internal-error",
        f"Something went wrong that should not. Tell the operator the incident's id: {incident}.",
        incident=incident,
    )
