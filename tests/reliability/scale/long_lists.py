"""Measurements of long lists: what a job's places in them take, and the janitor's look at all of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from redis import Redis

from ep_core.schemas.specs import ExtremalSpec
from tests.reliability.report import Line
from tests.reliability.stack import wait_until
from worker.broker.contract import JobRecord, JobState
from worker.broker.queue import enqueue
from worker.broker.store import JobStore
from worker.janitor import Janitor
from worker.settings import SharedSettings

from .costs import Costs, Part, main_thread_s

AT_ONCE = 500


def measure_lists(redis: Redis, count: int) -> float:
    """Return the bytes of Redis that a finished job's places in lists take, and its keys themselves."""
    store = JobStore(redis, retention_s=600)
    before = redis.info("memory")["used_memory"]
    for start in range(0, count, AT_ONCE):
        with redis.pipeline(transaction=False) as pipeline:
            for _ in range(min(AT_ONCE, count - start)):
                store.create(_record(JobState.SUCCEEDED), pipeline=pipeline)
            pipeline.execute()
    whole = (redis.info("memory")["used_memory"] - before) / count
    job_id = store.page(limit=1)[0][0].id
    keys = [f"ep:job:{job_id}", f"ep:events:{job_id}"]
    return float(whole - sum(redis.memory_usage(key, samples=0) or 0 for key in keys))


def measure_janitor(settings: SharedSettings, redis: Redis, numbers: Sequence[int], costs: Costs, line: Line) -> None:
    """Measure the janitor's close look at more and more waiting jobs, and what it takes to forget expired ones."""
    store, made = JobStore(redis, retention_s=settings.retention_s), 0
    for number in numbers:
        line.show("the janitor, by the number of waiting jobs", number, numbers[-1])
        _fill(redis, store, number - made)
        made = number
        janitor = Janitor(redis, settings)
        janitor.sweep()
        before, began = main_thread_s(redis), time.monotonic()
        janitor.look_closely()
        costs.sweeps[number] = (time.monotonic() - began, main_thread_s(redis) - before)
    job_ids = [*store.queued()][: numbers[0]]
    for job_id in job_ids:
        store.finish(job_id, JobState.CANCELED)
    wait_until(lambda: redis.zcount("ep:expiring", "-inf", redis.time()[0] - 1) >= len(job_ids), within_s=5.0)
    part = costs.parts["expired"] = Part("expired", len(job_ids))
    before, cpu = main_thread_s(redis), time.process_time()
    forgotten = store.forget_expired()
    part.redis_s = (main_thread_s(redis) - before) / max(1, forgotten)
    part.worker_s = (time.process_time() - cpu) / max(1, forgotten)


def _fill(redis: Redis, store: JobStore, count: int) -> None:
    """Add waiting jobs, without images."""
    for start in range(0, count, AT_ONCE):
        with redis.pipeline() as pipeline:
            pipeline.multi()
            for _ in range(min(AT_ONCE, count - start)):
                record = _record(JobState.QUEUED)
                store.create(record, pipeline=pipeline)
                enqueue(redis, record.id, timeout_s=100, pipeline=pipeline)
            pipeline.execute()


def _record(state: JobState) -> JobRecord:
    return JobRecord(id=uuid.uuid4().hex, state=state, params=ExtremalSpec(), created_at=datetime.now(UTC))
