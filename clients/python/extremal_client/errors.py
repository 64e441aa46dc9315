"""Exceptions of the client, which say what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .generated.schemas import FieldError, JobRead


class ExtremalError(Exception):
    """Anything that this package raises."""


class Unreachable(ExtremalError):
    """The service gives no answer, however often it is asked within the client's `retry_s` seconds."""


class UnexpectedAnswer(ExtremalError):
    """An answer that the service doesn't give: another server's, or that of a version too far away."""


class WebhookInvalid(ExtremalError):
    """A message that isn't the service's, or is too old."""


class JobRemoved(ExtremalError):
    """The job was removed, or cancelled, while it was waited for."""


class ServiceError(ExtremalError):
    """A problem that the service answers with (RFC 9457)."""

    def __init__(
        self, problem: dict[str, Any], *, errors: list[FieldError], retry_after_s: float | None = None
    ) -> None:
        self.problem = problem
        """All of it, as JSON."""
        self.status = int(problem.get("status", 0))
        self.type = str(problem.get("type", "about:blank"))
        """Stable name of its kind, such as ``/problems/invalid-input``."""
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", "")) or self.title
        """What is wrong, and what to change."""
        self.errors = errors
        """One for each field at fault."""
        self.request_id: str | None = problem.get("request_id")
        """Names the request in the operator's logs."""
        self.retry_after_s = retry_after_s
        super().__init__(f"{self.detail} ({self.status}, {self.slug})")

    @property
    def slug(self) -> str:
        """The end of `type`, such as ``invalid-input``."""
        return self.type.rpartition("/")[2]

    @property
    def field(self) -> str | None:
        """The first field at fault, such as ``areas.2``; None where it isn't about one."""
        return self.errors[0].field if self.errors else self.problem.get("field")

    @property
    def nearest(self) -> list[str]:
        """Names that may have been meant, the best first."""
        found = self.errors[0].nearest if self.errors else self.problem.get("nearest")
        return list(found or [])


class InvalidRequest(ServiceError):
    """The image or a parameter can't be used (413, 415, 422): change it as `detail` says."""


class NotAllowed(ServiceError):
    """The key is missing, unknown, or doesn't allow this (401, 403)."""


class NotFound(ServiceError):
    """There is no such job, model or file (404): it never was, was removed, or has expired."""


class Unavailable(ServiceError):
    """The service can't take the request now (429, 503), nor within the client's `retry_s` seconds."""


class JobFailed(ServiceError):
    """A job that ended without a result; `detail` says why."""

    job: JobRead | None = None
    """The job; None where it is one of a batch."""
