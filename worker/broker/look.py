"""Asynchronous reads of a job's record, for frequent requests. Imports no torch."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from . import scripts
from .contract import JobRecord, Priority
from .events import event_key
from .index import jobs_before
from .records import read_record


class JobLook:
    """Reads one job in one call to Redis that holds no thread, for frequent requests.

    Args:
        redis: where.
        prefix: as for `JobStore`.
    """

    def __init__(self, redis: Redis, *, prefix: str = "ep") -> None:
        self._script = redis.register_script(scripts.LOOK)
        self._prefix = prefix

    async def at(self, job_id: str) -> tuple[JobRecord, int | None] | None:
        """Return a job's record, and how many will be taken before it (None: it doesn't wait); None without a job."""
        keys = [f"{self._prefix}:job:{job_id}", event_key(job_id, prefix=self._prefix), f"{self._prefix}:jobs"]
        found: Any = await self._script(keys=keys, args=[job_id, *Priority])
        flat, rank, others = found
        record = read_record(dict(zip(flat[::2], flat[1::2], strict=True)))
        if record is None:
            return None
        return record, jobs_before(rank, others, record.priority) if rank >= 0 else None
