"""Conversion of job records to response models."""

from __future__ import annotations

from service.http.links import Links
from worker.broker.contract import JobRecord

from .links import links_of
from .schemas import JobRead
from .service import JobService

_SHOWN = {"id", "created_at", "started_at", "finished_at", "attempt", "progress", "partial_curve", "error"}
_SHOWN |= {"found", "priority", "batch", "cached", "delivery"}


def read(record: JobRecord, jobs: JobService, links: Links) -> JobRead:
    """Return the response model of a job, its place in the queue looked up."""
    position = jobs.position(record)
    return show(record, jobs, links, position=position, wait_s=jobs.wait_s(position))


def show(record: JobRecord, jobs: JobService, links: Links, *, position: int | None, wait_s: float | None) -> JobRead:
    """Return the response model of a job whose place in the queue is known."""
    return JobRead(
        **{name: getattr(record, name) for name in _SHOWN},
        params=record.params,
        status=record.state,
        expires_at=jobs.expires_at(record),
        position=position,
        starts_in_s=wait_s,
        links=links_of(record, links),
    )
