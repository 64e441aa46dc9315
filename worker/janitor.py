"""Janitor: finds jobs whose worker is lost, and has them run again or failed. Imports no torch.

RQ's registry lists the leases that have expired; the records list the jobs that should be in a queue and aren't.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import cast

import structlog
from redis import Redis
from redis.exceptions import LockError
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry

from worker.broker.blobs import BlobStore, open_blobs
from worker.broker.contract import JobRecord, JobState
from worker.broker.failing import fail_job
from worker.broker.liveness import forget_dead
from worker.broker.problems import worker_lost
from worker.broker.queue import REDIS_UNUSABLE, connect, enqueue, forget, job_queues, waiting_in
from worker.broker.reserved import Room
from worker.broker.statistics import Stats
from worker.broker.store import JobStore
from worker.broker.upgrade import bring_up_to_date

from .settings import SharedSettings

SWEEP_S = 2.0
CLOSE_LOOK_S = 30.0  # all ids are compared at least so often; between, as long as the numbers agree, only those
LOOK_SHARE = 0.05  # of the time, at most, goes into comparing: it takes a second for some hundred thousand jobs
MISSING_S = 10.0  # between its places a job is in none for a moment: only those missing this long are lost
_LOCK = "ep:janitor"
_LOCK_S = 5.0  # renewed between a sweep's steps: the others wait so long for one that died in the middle

log = structlog.get_logger(__name__)


def run_janitor(settings: SharedSettings, stop: threading.Event, *, every_s: float = SWEEP_S) -> None:
    """Sweep until `stop` is set, in any number of processes: one acts at a time. Redis may come and go."""
    redis = connect(settings.redis_url)
    janitor = Janitor(redis, settings)
    while not stop.is_set():
        try:
            janitor.sweep()
        except REDIS_UNUSABLE as error:
            log.debug("no sweep, Redis is away", error=str(error))
        except Exception:
            log.exception("sweep failed")
        stop.wait(every_s)
    redis.close()


class Janitor:
    """One sweep after the other; remembers between them what was missing."""

    def __init__(self, redis: Redis, settings: SharedSettings) -> None:
        self._redis = redis
        self._timeout_s = settings.job_timeout_s
        self._retention_s = settings.retention_s
        self._max_attempts = settings.max_attempts
        self._store = JobStore(redis, retention_s=settings.retention_s, max_attempts=settings.max_attempts)
        self._blobs: BlobStore = open_blobs(settings.blob_url, redis)
        self._stats = Stats(redis)
        self._room = Room(redis)
        self._queues = job_queues(redis)
        self._leases = [StartedJobRegistry(queue=queue) for queue in self._queues]
        self._missing_since: dict[str, float] = {}
        self._next_close_look = self._rests_until = 0.0
        self._is_up_to_date = False

    def sweep(self) -> None:
        """Act on expired leases, failed RQ jobs and jobs that are nowhere; does nothing while another janitor acts."""
        lock = self._redis.lock(_LOCK, timeout=_LOCK_S, blocking=False)
        if not lock.acquire():
            return
        try:
            for step in self._steps():
                step()
                lock.reacquire()
        except LockError as error:
            log.debug("a step took longer than the lock lasts, another janitor acts", error=str(error))
        finally:
            with suppress(LockError):  # it is another's by now
                lock.release()

    def _steps(self) -> Iterator[Callable[[], object]]:
        if not self._is_up_to_date:
            yield self._bring_up_to_date
        yield from (leases.cleanup for leases in self._leases)
        yield from (partial(self._settle, job_id, failed=failed) for job_id, failed in self._lost())
        yield self._store.forget_expired
        yield partial(forget_dead, self._redis)

    def _bring_up_to_date(self) -> None:
        bring_up_to_date(self._redis)
        self._is_up_to_date = True

    def _lost(self) -> Iterator[tuple[str, bool]]:
        """Find the jobs that are in no place for too long; True where RQ has failed them."""
        now = time.monotonic()
        if now < self._rests_until:
            return
        if not self._missing_since and now < self._next_close_look and self._numbers_agree():
            return
        self._next_close_look = now + CLOSE_LOOK_S
        missing = self.look_closely()
        took = time.monotonic() - now
        self._rests_until = now + took / LOOK_SHARE - SWEEP_S
        self._missing_since = {job_id: self._missing_since.get(job_id, now) for job_id in missing}
        for job_id, since in self._missing_since.items():
            failed = self._status(job_id) == JobStatus.FAILED
            if failed or now - since >= MISSING_S:
                yield job_id, failed

    def look_closely(self) -> set[str]:
        """Compare all ids; return those of unfinished jobs that are in no place."""
        unfinished = self._store.queued() | self._store.running()
        self._room.give_back(unfinished)
        missing = unfinished - self._places() if unfinished else set()
        return missing - self._store.leased(missing)  # RQ may have lost track of a job that runs

    def _numbers_agree(self) -> bool:
        """Return whether as many jobs wait or run as should: with thousands of them, comparing all takes a while."""
        counts = self._store.counts()
        waiting = sum(queue.count for queue in self._queues)
        leased = sum(leases.get_job_count(cleanup=False) for leases in self._leases)
        return counts[JobState.QUEUED] + counts[JobState.RUNNING] == waiting + leased

    def _places(self) -> set[str]:
        """Return the ids of the jobs that wait in the queue or that a worker holds a lease on.

        RQ's intermediate list is none of the places: a job passes through it, unless its worker dies right then.
        """
        places: set[str] = set()
        for queue, leases in zip(self._queues, self._leases, strict=True):
            places |= waiting_in(queue) | set(leases.get_job_ids(cleanup=False))
        return places

    def _status(self, job_id: str) -> str | None:
        status = cast("bytes | None", self._redis.hget(Job.key_for(job_id), "status"))
        return status.decode() if status else None

    def _settle(self, job_id: str, *, failed: bool) -> None:
        record = self._store.get(job_id)
        if record is None or record.state.is_final:
            return
        for queue in self._queues:
            self._redis.lrem(queue.intermediate_queue_key, 0, job_id)
        if failed or record.attempt >= self._max_attempts:
            self._fail(record)
        else:
            log.warning("job was in no queue, enqueued again", job=job_id)
            enqueue(
                self._redis,
                job_id,
                timeout_s=self._timeout_s,
                priority=record.priority,
                max_attempts=self._max_attempts,
            )

    def _fail(self, record: JobRecord) -> None:
        if record.state is JobState.QUEUED:  # only a running job can fail
            self._store.start(record.id, worker="janitor")
        failed = fail_job(
            self._store, self._blobs, record.id, worker_lost(), attempt=None, retention_s=self._retention_s
        )
        if failed is not None:
            log.error("job failed: its worker was lost", job=record.id)
            self._stats.lost(record.params.task)
        forget(self._redis, record.id)
