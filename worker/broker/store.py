"""The job records in Redis, moved only by the state machine of `contract.MOVES`.

Every write after creation names the attempt that makes it. A Lua script (`scripts`) compares state and attempt and
writes in one step, so a stale worker can overwrite neither a final state nor a newer attempt.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import cast

from redis import Redis
from redis.client import Pipeline

from ep_core.schemas.reports.extremal import PartialPoint

from . import scripts
from .contract import (
    MAX_ATTEMPTS,
    MOVES,
    Finding,
    JobProgress,
    JobRecord,
    JobState,
    Origin,
    Previews,
    Priority,
    Problem,
    as_field,
)
from .events import EventKind, event_key
from .index import JobIndex, Place
from .records import read_record
from .reserved import room_key


class Created(IntEnum):
    """Outcome of storing a new record."""

    NO_ROOM = -1
    TOO_MANY = 0
    YES = 1


class AlreadyRuns(Exception):
    """Another attempt runs the job, and is alive."""


class JobStore:
    """Job records under ``{prefix}:job:{id}``, and their index (`JobIndex`)."""

    def __init__(self, redis: Redis, *, retention_s: int, max_attempts: int = MAX_ATTEMPTS, prefix: str = "ep") -> None:
        self._redis = redis
        self._max_attempts = max_attempts
        self._retention_s = retention_s
        self._prefix = prefix
        self._index = JobIndex(redis, prefix=prefix)
        self._create_script = redis.register_script(scripts.CREATE)
        self._delete_script = redis.register_script(scripts.DELETE)
        self._write_script = redis.register_script(scripts.WRITE)
        self._start_script = redis.register_script(scripts.START)
        self._renew_script = redis.register_script(scripts.RENEW)
        self._give_back_script = redis.register_script(scripts.GIVE_BACK)

    def create(
        self,
        record: JobRecord,
        *,
        most_queued: int | None = None,
        room: int = 0,
        pipeline: Pipeline | None = None,
    ) -> Created:
        """Store a new record; of one that is final already, the retention starts.

        Args:
            record: the job's.
            most_queued: how many jobs of its owner (of all, where it has none) may wait.
            room: bytes of Redis's memory that are reserved until the job ends.
            pipeline: the transaction of which this is a part; it gives the answer, and here it is `Created.YES`.

        Returns:
            `TOO_MANY` where so many wait already, `NO_ROOM` where a Redis that has a limit has no such room.
        """
        created_us = round(record.created_at.timestamp() * 1_000_000)
        retention_s = self._retention_s if record.state.is_final else 0
        fields = record.as_fields() | {"task": record.params.task}  # by itself: the index is also kept by it
        flat = [part for field in fields.items() for part in field]
        most = "" if most_queued is None else most_queued
        args = [record.id, created_us, record.state, record.owner or "", most, retention_s, room, *flat]
        created = self._create_script(keys=self._keys(record.id), args=args, client=pipeline)
        return Created.YES if pipeline is not None else Created(cast("int", created))

    def get(self, job_id: str) -> JobRecord | None:
        """Return the record, or None where there is none (never was, deleted, or expired)."""
        return read_record(cast("dict[bytes, bytes]", self._redis.hgetall(self._key(job_id))))

    def origin(self, job_id: str) -> Origin:
        """Return the origin of a job, as logs and traces name it; of a job that is gone, nothing.

        Apart from `get`, so that a record that this version can't read is no obstacle.
        """
        found = cast("list[bytes | None]", self._redis.hmget(self._key(job_id), ["request_id", "traceparent"]))
        return Origin(*(None if value is None else value.decode() for value in found))

    def page(
        self,
        *,
        state: JobState | None = None,
        owner: str | None = None,
        task: str | None = None,
        after: Place | None = None,
        limit: int,
    ) -> tuple[list[JobRecord], Place | None]:
        """Return records, the newest first, and the place where the next page begins (None where there is none).

        It costs what the page's records do, however many jobs there are.

        Args:
            state: only jobs in this state.
            owner: only jobs of this owner.
            task: only jobs of this task.
            after: the place that the page before returned.
            limit: most records; there can be fewer, also before the last page, where some have just expired.
        """
        places, last = self._index.page(state, owner=owner, task=task, after=after, limit=limit)
        found = self.get_all([place.job_id for place in places])
        return [record for record in found if record is not None and state in (None, record.state)], last

    def get_all(self, job_ids: Sequence[str]) -> list[JobRecord | None]:
        """Return the records of several jobs, in their order; None for those that are gone. One call to Redis."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                pipeline.hgetall(self._key(job_id))
            return [read_record(fields) for fields in pipeline.execute()]

    def read_field(self, job_ids: Sequence[str], name: str) -> list[str | None]:
        """Return a field of several records that is a text, also of those that this version can't read."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                pipeline.hget(self._key(job_id), name)
            return [None if value is None else value.decode() for value in pipeline.execute()]

    def start(self, job_id: str, *, worker: str, lease_s: float = 0.0) -> int | None:
        """Begin an attempt: queued or running (its worker was lost) becomes running.

        Args:
            job_id: the job's.
            worker: the name of who runs it.
            lease_s: seconds for which nobody else may run it, 0 for none; `renew` prolongs them.

        Returns:
            The attempt's number, to be named in every later write, or None where the job is final or gone, or has used
            up its attempts.

        Raises:
            AlreadyRuns: an attempt whose lease hasn't run out runs the job.
        """
        args: list[str | int] = [job_id, worker, _now(), self._max_attempts, _ms(lease_s)]
        attempt = int(cast("int", self._start_script(keys=self._keys(job_id), args=args)))
        if attempt < 0:
            raise AlreadyRuns
        return attempt or None

    def renew(self, job_id: str, *, attempt: int, lease_s: float) -> bool:
        """Prolong the lease of a running attempt; False where this attempt isn't the running one any more."""
        return bool(self._renew_script(keys=self._keys(job_id), args=[attempt, _ms(lease_s)]))

    def leased(self, job_ids: Collection[str]) -> set[str]:
        """Return which of the jobs an attempt runs whose lease hasn't run out."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                pipeline.exists(self._lease_key(job_id))
            return {job_id for job_id, held in zip(job_ids, pipeline.execute(), strict=True) if held}

    def update(
        self, job_id: str, *, attempt: int, progress: JobProgress, partial_curve: Sequence[PartialPoint]
    ) -> bool:
        """Write the progress of a running attempt; False where this attempt isn't the running one any more."""
        fields = {
            "progress": as_field(progress.model_dump(mode="json")),
            "partial_curve": as_field([point.model_dump(mode="json") for point in partial_curve if _is_finite(point)]),
        }
        told = "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"
        event = (EventKind.PROGRESS, told)
        return self._write(job_id, fields, attempt=attempt, old={JobState.RUNNING}, event=event)

    def show(self, job_id: str, *, attempt: int, previews: Previews) -> bool:
        """Send previews of a running attempt to its watchers; False as for `update`."""
        told = as_field(previews.model_dump(mode="json"))
        return self._write(job_id, {}, attempt=attempt, old={JobState.RUNNING}, event=(EventKind.PREVIEW, told))

    def holds(self, job_id: str, *, attempt: int) -> bool:
        """Return whether this attempt is the running one: the cheap check for a deleted or canceled job."""
        state, current = cast("list[bytes | None]", self._redis.hmget(self._key(job_id), ["state", "attempt"]))
        return state == JobState.RUNNING.encode() and current == str(attempt).encode()

    def give_back(self, job_id: str, *, attempt: int) -> bool:
        """End an attempt as if it had not been made, because its worker shuts down; the job waits to be run again.

        False where this attempt isn't the running one any more.
        """
        return bool(self._give_back_script(keys=self._keys(job_id), args=[attempt]))

    def finish(
        self,
        job_id: str,
        state: JobState,
        *,
        attempt: int | None = None,
        error: Problem | None = None,
        found: Finding | None = None,
        files: Sequence[str] | None = None,
    ) -> bool:
        """Move to a final state and start the retention; False where that move isn't allowed (any more).

        Args:
            job_id: of the job.
            state: the final one.
            attempt: that ends, where one does; another one ends nothing.
            error: the reason why it has failed.
            found: a summary of its result.
            files: the single files of its result.
        """
        fields = {"finished_at": _now()}
        if error is not None:
            fields["error"] = as_field(error.model_dump(mode="json"))
        if found is not None:
            fields["found"] = as_field(found.model_dump(mode="json"))
        if files is not None:
            fields["files"] = as_field(files)
        old = {before for before, after in MOVES.items() if state in after}
        event = (EventKind.STATE, state)
        return self._write(
            job_id, fields, attempt=attempt, old=old, event=event, state=state, retention_s=self._retention_s
        )

    def delete(self, job_id: str) -> bool:
        """Remove the record; a worker that still runs it sees that at its next write. False where there was none."""
        return bool(self._delete_script(keys=self._keys(job_id), args=[job_id, self._retention_s]))

    def delete_all(self, job_ids: Sequence[str]) -> int:
        """Remove several records as `delete` does; returns how many there were. One call to Redis."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                self._delete_script(keys=self._keys(job_id), args=[job_id, self._retention_s], client=pipeline)
            return sum(pipeline.execute())

    def counts(self) -> dict[JobState, int]:
        """Return how many jobs there are in each state."""
        return self._index.counts()

    def running(self) -> set[str]:
        """Return the ids of the jobs recorded as running."""
        return self._index.members(JobState.RUNNING)

    def queued(self) -> set[str]:
        """Return the ids of the jobs recorded as queued."""
        return self._index.members(JobState.QUEUED)

    def before(self, job_id: str, priority: Priority) -> int | None:
        """Return how many jobs will be taken before this one; None where it isn't queued."""
        return self._index.before(job_id, priority)

    def forget_expired(self) -> int:
        """Take jobs whose records have expired out of the index; returns how many there were."""
        return self._index.forget_expired()

    def _write(
        self,
        job_id: str,
        fields: dict[str, str],
        *,
        attempt: int | None,
        old: set[JobState],
        event: tuple[EventKind, str],
        state: JobState | None = None,
        retention_s: int = 0,
    ) -> bool:
        flat = [part for field in fields.items() for part in field]
        writer = "" if attempt is None else str(attempt)
        args = [writer, state or "", ",".join(sorted(old)), job_id, retention_s, *event, *flat]
        return bool(self._write_script(keys=self._keys(job_id), args=args))

    def _key(self, job_id: str) -> str:
        return f"{self._prefix}:job:{job_id}"

    def _keys(self, job_id: str) -> list[str]:
        events = event_key(job_id, prefix=self._prefix)
        others = [f"{self._prefix}:batch", f"{self._prefix}:deliveries", self._lease_key(job_id)]
        others.append(room_key(self._prefix))
        return [self._key(job_id), events, *self._index.keys, *others]

    def _lease_key(self, job_id: str) -> str:
        return f"{self._prefix}:lease:{job_id}"


def _is_finite(point: PartialPoint) -> bool:
    return math.isfinite(point.objective) and math.isfinite(point.measured_area)


def _ms(seconds: float) -> int:
    return round(1000 * seconds)


def _now() -> str:
    return datetime.now(UTC).isoformat()
