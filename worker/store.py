"""The job records in Redis, moved only by the state machine of `contract.MOVES`.

Every write after creation names the attempt that makes it. A Lua script compares state and attempt and writes in one
step, so a stale worker can overwrite neither a final state nor a newer attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from pydantic_core import from_json
from redis import Redis

from ep_core.report import PartialPoint

from .contract import MAX_ATTEMPTS, MOVES, JobProgress, JobRecord, JobState, Problem, as_field

_TEXT_FIELDS = {"id", "state", "created_at", "started_at", "finished_at", "worker"}

# KEYS: record, running set, queued set. ARGV: attempt of the writer ("" for a move that needs none), new state ("" to
# keep it), allowed old states (comma-separated), job id, retention in seconds (0: keep), then field, value, ...
_WRITE = """
local state = redis.call('HGET', KEYS[1], 'state')
if not state or not string.find(',' .. ARGV[3] .. ',', ',' .. state .. ',', 1, true) then return 0 end
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'state', ARGV[2])
  if ARGV[2] == 'running' then redis.call('SADD', KEYS[2], ARGV[4]) else redis.call('SREM', KEYS[2], ARGV[4]) end
  redis.call('SREM', KEYS[3], ARGV[4])
end
if tonumber(ARGV[5]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[5]) end
return 1
"""

# As above for the start of an attempt; returns its number, or 0 where the job can't run (any more).
# ARGV: job id, worker, now, most attempts.
_START = """
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
local attempt = tonumber(redis.call('HGET', KEYS[1], 'attempt') or '0') + 1
if attempt > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'state', 'running', 'attempt', attempt, 'worker', ARGV[2], 'started_at', ARGV[3])
redis.call('HDEL', KEYS[1], 'progress', 'partial_curve')
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('SREM', KEYS[3], ARGV[1])
return attempt
"""

# KEYS: record. ARGV: attempt to give back; the job stays running, its next attempt takes the same number.
_GIVE_BACK = """
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'attempt', -1)
redis.call('HDEL', KEYS[1], 'progress', 'partial_curve', 'worker')
return 1
"""


class JobStore:
    """Job records under ``{prefix}:job:{id}``, the ids of unfinished jobs in ``{prefix}:queued`` and ``:running``."""

    def __init__(self, redis: Redis, *, retention_s: int, prefix: str = "ep") -> None:
        self._redis = redis
        self._retention_s = retention_s
        self._prefix = prefix
        self._write_script = redis.register_script(_WRITE)
        self._start_script = redis.register_script(_START)
        self._give_back_script = redis.register_script(_GIVE_BACK)

    def create(self, record: JobRecord) -> None:
        """Store a new record."""
        key, _, queued = self._keys(record.id)
        with self._redis.pipeline() as pipeline:
            pipeline.hset(key, mapping=cast("Any", record.as_fields()))
            pipeline.sadd(queued, record.id)
            pipeline.execute()

    def get(self, job_id: str) -> JobRecord | None:
        """Return the record, or None where there is none (never was, deleted, or expired)."""
        fields = cast("dict[bytes, bytes]", self._redis.hgetall(self._key(job_id)))
        if not fields:
            return None
        return JobRecord.model_validate({name.decode(): _parse(name.decode(), text) for name, text in fields.items()})

    def start(self, job_id: str, *, worker: str) -> int | None:
        """Begin an attempt: queued or running (its worker was lost) becomes running.

        Returns the attempt's number, to be named in every later write, or None where the job is final or gone, or
        has used up its `MAX_ATTEMPTS`.
        """
        attempt = self._start_script(keys=self._keys(job_id), args=[job_id, worker, _now(), MAX_ATTEMPTS])
        return int(cast("int", attempt)) or None

    def update(
        self, job_id: str, *, attempt: int, progress: JobProgress, partial_curve: Sequence[PartialPoint]
    ) -> bool:
        """Write the progress of a running attempt; False where this attempt isn't the running one any more."""
        fields = {
            "progress": as_field(progress.model_dump(mode="json")),
            "partial_curve": as_field([point.model_dump(mode="json") for point in partial_curve]),
        }
        return self._write(job_id, fields, attempt=attempt, old={JobState.RUNNING})

    def holds(self, job_id: str, *, attempt: int) -> bool:
        """Return whether this attempt is the running one: the cheap check for a deleted or canceled job."""
        state, current = cast("list[bytes | None]", self._redis.hmget(self._key(job_id), ["state", "attempt"]))
        return state == JobState.RUNNING.encode() and current == str(attempt).encode()

    def give_back(self, job_id: str, *, attempt: int) -> bool:
        """End an attempt as if it had not been made, because its worker shuts down; the job waits to be run again.

        False where this attempt isn't the running one any more.
        """
        return bool(self._give_back_script(keys=[self._key(job_id)], args=[attempt]))

    def finish(self, job_id: str, state: JobState, *, attempt: int | None = None, error: Problem | None = None) -> bool:
        """Move to a final state and start the retention; False where that move isn't allowed (any more)."""
        fields = {"finished_at": _now()}
        if error is not None:
            fields["error"] = as_field(error.model_dump(mode="json"))
        old = {before for before, after in MOVES.items() if state in after}
        return self._write(job_id, fields, attempt=attempt, old=old, state=state, retention_s=self._retention_s)

    def delete(self, job_id: str) -> bool:
        """Remove the record; a worker that still runs it sees that at its next write. False where there was none."""
        record, running, queued = self._keys(job_id)
        with self._redis.pipeline() as pipeline:
            pipeline.delete(record)
            pipeline.srem(running, job_id)
            pipeline.srem(queued, job_id)
            return bool(pipeline.execute()[0])

    def running(self) -> set[str]:
        """Return the ids of the jobs recorded as running."""
        return self._members("running")

    def queued(self) -> set[str]:
        """Return the ids of the jobs recorded as queued."""
        return self._members("queued")

    def _write(
        self,
        job_id: str,
        fields: dict[str, str],
        *,
        attempt: int | None,
        old: set[JobState],
        state: JobState | None = None,
        retention_s: int = 0,
    ) -> bool:
        flat = [part for field in fields.items() for part in field]
        head = ["" if attempt is None else str(attempt), state or "", ",".join(sorted(old)), job_id, retention_s]
        return bool(self._write_script(keys=self._keys(job_id), args=[*head, *flat]))

    def _members(self, name: str) -> set[str]:
        return {member.decode() for member in cast("set[bytes]", self._redis.smembers(f"{self._prefix}:{name}"))}

    def _key(self, job_id: str) -> str:
        return f"{self._prefix}:job:{job_id}"

    def _keys(self, job_id: str) -> list[str]:
        return [self._key(job_id), f"{self._prefix}:running", f"{self._prefix}:queued"]


def _parse(name: str, text: bytes) -> Any:
    return text.decode() if name in _TEXT_FIELDS else from_json(text)


def _now() -> str:
    return datetime.now(UTC).isoformat()
