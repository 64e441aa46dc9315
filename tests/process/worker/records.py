"""Records that the tests of the store share."""

from __future__ import annotations

from collections.abc import Callable

from redis import Redis

from ep_core.schemas.reports.extremal import PartialPoint
from worker.broker.contract import JobProgress, JobRecord, JobState
from worker.broker.events import GONE_S, event_key
from worker.broker.store import JobStore

FINAL = [state for state in JobState if state.is_final]
PROGRESS = JobProgress(iteration=3, total=10, fraction=0.3)
POINTS = [PartialPoint(area=0.1, measured_area=0.2, score=1.5)]

Make = Callable[..., JobRecord]


def bring_to(store: JobStore, record: JobRecord, state: JobState) -> int | None:
    """Create the record and move it to `state` by legal moves; returns the attempt, if one was started."""
    store.create(record)
    attempt = None
    if state in (JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED):
        attempt = store.start(record.id, worker="w")
    if state.is_final:
        assert store.finish(record.id, state)
    return attempt


def events(redis: Redis, job_id: str) -> list[tuple[str, str]]:
    return [(fields[b"kind"].decode(), fields[b"data"].decode()) for _, fields in redis.xrange(event_key(job_id))]


def assert_nothing_stays(redis: Redis) -> None:
    """All that is left is for those who watch a deleted job, and goes by itself soon."""
    left = list(redis.scan_iter("ep:*"))
    assert all(key.startswith(b"ep:events:") and 0 < redis.ttl(key) <= GONE_S for key in left), left
