"""Removal of everything that a caller has. Knows Redis, blobs and the queue; knows nothing of HTTP."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from redis import Redis

from service.access.caller import Caller
from service.batches.contract import BatchRecord, BatchStore
from service.jobs.idempotency import release
from service.settings import ApiSettings
from worker.broker import queue
from worker.broker.blobs import BlobStore, open_blobs
from worker.broker.contract import Priority
from worker.broker.index import JobIndex
from worker.broker.reuse import KnownResults
from worker.broker.store import JobStore

SLICE = 100
"""Jobs removed at once: Redis answers others between two slices."""

_log = structlog.get_logger(__name__)


class Removals:
    """Removes all jobs of a caller, and what is known of them. Every method may raise a `RedisError`."""

    def __init__(self, redis: Redis, settings: ApiSettings) -> None:
        self._redis = redis
        self._store = JobStore(redis, retention_s=settings.retention_s)
        self._index = JobIndex(redis)
        self._batches = BatchStore(redis)
        self._results = KnownResults(redis, retention_s=settings.retention_s)
        self._blobs: BlobStore = open_blobs(settings.blob_url, redis)

    def remove_all(self, caller: Caller) -> int:
        """Remove what the caller has now: jobs with their images and results, batches, known results, request keys.

        Jobs that run are stopped by their workers at the next sign of progress. What is posted meanwhile stays.

        Returns:
            How many jobs there were.
        """
        removed = self._remove_jobs(caller.owner)
        for batch in self._batches.all():
            if caller.owner in (None, batch.owner) and not any(self._store.read_field(batch.jobs, "id")):
                self._remove_batch(batch)
        self._results.forget_gone()
        _log.info("all jobs deleted", jobs=removed)
        return removed

    def _remove_jobs(self, owner: str | None) -> int:
        removed, after = 0, None
        while True:
            places, after = self._index.page(None, owner=owner, after=after, limit=SLICE)
            removed += self._remove([place.job_id for place in places])
            if after is None:
                return removed

    def _remove_batch(self, batch: BatchRecord) -> None:
        if batch.request is not None:
            release(self._redis, batch.request)
        self._batches.delete(batch.id)

    def _remove(self, job_ids: Sequence[str]) -> int:
        """Remove jobs, as `JobService.delete` does one; nothing happens for those that are gone."""
        requests = self._store.read_field(job_ids, "request")
        priorities = [one or Priority.NORMAL for one in self._store.read_field(job_ids, "priority")]
        release(self._redis, *filter(None, requests))
        removed = self._store.delete_all(job_ids)  # first: without its record no worker starts or finishes a job
        for priority in Priority:
            queue.remove_all(
                self._redis,
                [job_id for job_id, found in zip(job_ids, priorities, strict=True) if found == priority],
                priority=priority,
            )
        for job_id in job_ids:
            self._blobs.delete(job_id)
        return removed
