"""A job's events: a capped Redis stream beside its record, written by the scripts that move it. Imports no torch.

The ids of its entries let a watcher that returns resume where it left off.
"""

from __future__ import annotations

from enum import StrEnum

MOST_EVENTS = 200  # older ones are dropped: a watcher that was away for longer misses progress, but no state
GONE_S = 60  # how long the last event of a deleted job stays


class EventKind(StrEnum):
    """Kind of an event."""

    STATE = "state"  # data: the state
    PROGRESS = "progress"  # data: the record's progress and partial curve, as JSON
    PREVIEW = "preview"  # data: small masks of the areas, as JSON
    DELETED = "deleted"  # the last one


def event_key(job_id: str, *, prefix: str = "ep") -> str:
    """Return the key of a job's events."""
    return f"{prefix}:events:{job_id}"
