"""Which jobs there are, by state and age: sorted sets in Redis beside the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline

from .contract import JobRecord, JobState

MOST_FORGOTTEN = 1000
"""Expired jobs taken out of the index at once."""


@dataclass(frozen=True, order=True)
class Place:
    """Where a job stands among others: by the time of its posting, then by its id."""

    created_us: int
    """Microseconds since 1970."""
    job_id: str


class JobIndex:
    """The ids of all jobs in ``{prefix}:jobs``, those in a state in ``{prefix}:jobs:{state}``, scored by their age.

    Finished ones are in ``{prefix}:expiring`` too, scored by when their records go.
    """

    def __init__(self, redis: Redis, *, prefix: str = "ep") -> None:
        self._redis = redis
        self._all = f"{prefix}:jobs"
        self._expiring = f"{prefix}:expiring"

    @property
    def keys(self) -> list[str]:
        """The keys that the scripts need, after the record's."""
        return [self._all, self._expiring]

    def add(self, pipeline: Pipeline, record: JobRecord) -> None:
        """Have a pipeline add a new job."""
        created_us = round(record.created_at.timestamp() * 1_000_000)
        for key in (self._all, self._key(record.state)):
            pipeline.zadd(key, {record.id: created_us})

    def remove(self, pipeline: Pipeline, job_ids: Sequence[str]) -> None:
        """Have a pipeline remove jobs."""
        for key in (self._all, self._expiring, *map(self._key, JobState)):
            pipeline.zrem(key, *job_ids)

    def members(self, state: JobState) -> set[str]:
        """Return the ids of all jobs in a state."""
        return {member.decode() for member in cast("list[bytes]", self._redis.zrange(self._key(state), 0, -1))}

    def counts(self) -> dict[JobState, int]:
        """Return how many jobs there are in each state."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for state in JobState:
                pipeline.zcard(self._key(state))
            return dict(zip(JobState, pipeline.execute(), strict=True))

    def rank(self, job_id: str, state: JobState) -> int | None:
        """Return how many jobs in a state are older than this one; None where it isn't in that state."""
        return cast("int | None", self._redis.zrank(self._key(state), job_id))

    def page(self, state: JobState | None, *, after: Place | None, limit: int) -> tuple[list[Place], Place | None]:
        """Return up to `limit` places after another one, the newest first, and the last of them where more follow."""
        found: list[Place] = []
        offset = 0
        while len(found) <= limit:
            part = self._range(state, after=after, offset=offset, count=limit + 1)
            found += [place for place in part if after is None or place < after]
            offset += len(part)
            if len(part) <= limit:
                break
        page = found[:limit]
        return page, page[-1] if len(found) > limit else None

    def forget_expired(self) -> int:
        """Remove jobs whose records have expired; returns how many there were."""
        forgotten = 0
        while expired := self._expired():
            with self._redis.pipeline() as pipeline:
                self.remove(pipeline, expired)
                pipeline.execute()
            forgotten += len(expired)
        return forgotten

    def _expired(self) -> list[str]:
        now_s, _ = self._redis.time()  # by the clock that lets records go
        members = self._redis.zrange(
            self._expiring, cast("Any", "-inf"), now_s - 1, byscore=True, offset=0, num=MOST_FORGOTTEN
        )
        return [member.decode() for member in cast("list[bytes]", members)]

    def _range(self, state: JobState | None, *, after: Place | None, offset: int, count: int) -> list[Place]:
        """Return places from the one after `after` on, also those of the very same time."""
        newest: Any = after.created_us if after else "+inf"
        key = self._key(state) if state else self._all
        found = self._redis.zrange(
            key, newest, cast("Any", "-inf"), desc=True, byscore=True, withscores=True, offset=offset, num=count
        )
        return [Place(int(score), member.decode()) for member, score in cast("list[tuple[bytes, float]]", found)]

    def _key(self, state: JobState) -> str:
        return f"{self._all}:{state}"
