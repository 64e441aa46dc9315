"""Errors as problem details (RFC 9457): their types, titles and statuses. Imports no torch."""

from __future__ import annotations

from ep_core.errors import ImageTooLarge, InvalidInput, ModelUnavailable, UnknownName

from .contract import Problem

_TITLES = {
    "invalid-input": "Invalid input",
    "unknown-name": "Unknown name",
    "unreadable-image": "Unreadable image",
    "image-too-large": "Image too large",
    "not-finite": "Scores are not finite",
    "model-unavailable": "Model unavailable",
    "worker-lost": "Worker lost",
    "timed-out": "Timed out",
    "out-of-memory": "Out of memory",
    "internal-error": "Internal error",
}


def make_problem(slug: str, status: int, detail: str, **members: object) -> Problem:
    """Return a problem of the kind `slug`, whose type is the stable reference ``/problems/{slug}``.

    Args:
        slug: machine-readable kind, such as ``unreadable-image``.
        status: the HTTP status that goes with it.
        detail: what is wrong and what to change.
        members: further members, such as ``field``.
    """
    title = _TITLES.get(slug, slug.replace("-", " ").capitalize())
    return Problem(type=f"/problems/{slug}", title=title, status=status, detail=detail, **members)


def problem_from(error: InvalidInput | ModelUnavailable) -> Problem:
    """Return the problem of one of the engine's own errors: 413, 422 or 503.

    ``field`` names the input at fault, ``nearest`` the closest known names, where the error carries them.
    """
    if isinstance(error, ModelUnavailable):
        return make_problem(error.slug, 503, str(error))
    members: dict[str, object] = {}
    if error.field is not None:
        members["field"] = error.field
    if isinstance(error, UnknownName):
        members["nearest"] = error.nearest
    return make_problem(error.slug, 413 if isinstance(error, ImageTooLarge) else 422, error.detail, **members)


def worker_lost() -> Problem:
    """Return the problem of a job whose worker died or hung each time it ran."""
    return make_problem(
        "worker-lost",
        500,
        "The workers that ran this job died or hung, each time that it was tried. Post the job again; if that fails "
        "too, ask for fewer areas or a smaller model.",
    )


def timed_out(seconds: int) -> Problem:
    """Return the problem of a job that ran longer than a job may."""
    return make_problem(
        "timed-out",
        504,
        f"The job ran longer than the {seconds} s that a job may take. Ask for fewer areas or iterations.",
    )


def out_of_memory() -> Problem:
    """Return the problem of a job that needs more memory than its worker has."""
    return make_problem(
        "out-of-memory",
        503,
        "The worker has too little memory for this job. Ask for fewer areas, or take a smaller model.",
    )


def internal_error(incident: str) -> Problem:
    """Return the problem of an unforeseen error; the stack trace lies in the log, under the id `incident`."""
    return make_problem(
        "internal-error",
        500,
        f"Something went wrong that should not. Tell the operator the incident's id: {incident}.",
        incident=incident,
    )
