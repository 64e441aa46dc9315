"""Objects that a worker process shares among its jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from redis import Redis

from ep_core.models import Classifier
from ep_core.optimiser.alone import Alone
from ep_core.optimiser.solver import Runner
from worker.broker import catalogue
from worker.broker.blobs import BlobStore, clear_failed, open_blobs
from worker.broker.contract import JobRecord, Problem
from worker.broker.failing import fail_job
from worker.broker.queue import REDIS_AWAY, REDIS_UNUSABLE
from worker.broker.reuse import KnownResults
from worker.broker.statistics import Stats
from worker.broker.store import JobStore
from worker.settings import WorkerSettings

from .activity import Activity
from .loaded_models import WarmModels
from .meter import Meter
from .survey import publish_found, publish_loaded

REDIS_PATIENCE_S = 60.0
BEATS_PER_LEASE = 5  # a worker is given up after so many heartbeats that didn't come

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Runtime:
    """One worker's settings, stores, models and signs of life."""

    name: str
    settings: WorkerSettings
    store: JobStore
    blobs: BlobStore
    models: WarmModels
    activity: Activity
    stats: Stats
    results: KnownResults
    is_offered: Callable[[str], bool]
    """Whether a model is published, by its name: by this worker or another."""
    runner: Runner = field(default_factory=Alone)
    """Steps the masks of jobs: of all that run at once, where there are several."""
    meter: Meter = field(default_factory=Meter)

    @classmethod
    def build(cls, name: str, settings: WorkerSettings, redis: Redis) -> Runtime:
        """Return the runtime that the settings describe, with no model loaded yet."""
        stats = Stats(redis)
        results = KnownResults(redis, retention_s=settings.retention_s)
        return cls(
            name=name,
            settings=settings,
            store=JobStore(redis, retention_s=settings.retention_s, max_attempts=settings.max_attempts),
            blobs=open_blobs(settings.blob_url, redis),
            models=WarmModels.from_catalogue(
                size=settings.warm_models,
                device=settings.device,
                models_file=settings.models_file,
                on_load=lambda model: _tell_loaded(redis, stats, results, model),
            ),
            activity=Activity(stall_s=settings.stall_s),
            stats=stats,
            results=results,
            is_offered=lambda name: name in catalogue.names(redis),
        )

    @property
    def lease_s(self) -> float:
        """Seconds for which an attempt is alive after a heartbeat: a little less than RQ's own lease lasts."""
        return (BEATS_PER_LEASE - 1) * self.settings.heartbeat_s

    def fail(self, job_id: str, problem: Problem, *, attempt: int) -> JobRecord | None:
        """Fail a job and remove what it has stored; None where this attempt may not (`fail_job`)."""
        return fail_job(self.store, self.blobs, job_id, problem, attempt=attempt, retention_s=self.settings.retention_s)

    def clear(self, record: JobRecord) -> None:
        """Remove what a failed job has stored."""
        retention_s = self.settings.retention_s
        clear_failed(self.blobs, record.id, keep_images=record.keep_images, retention_s=retention_s)

    def tell_spent(self) -> None:
        """Tell the statistics what this process has spent since the last time."""
        self.meter.tell(self.stats, self.runner.work)

    def patiently(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, trying again while a store is of no use: for what must not be lost.

        For a minute where Redis or the blobs' store is away. Where Redis answers but takes no writes, it is full and
        somebody has to see to it: for as long as a job may run.

        Raises:
            redis.RedisError: one of `REDIS_UNUSABLE`, which lasted longer.
        """
        started = time.monotonic()
        while True:
            try:
                return call()
            except REDIS_UNUSABLE as error:
                away = isinstance(error, REDIS_AWAY)
                patience_s = REDIS_PATIENCE_S if away else self.settings.job_timeout_s
                if time.monotonic() - started > patience_s:
                    raise
                log.warning("the store is away, trying again" if away else "Redis takes no writes", error=str(error))
                self.activity.tick()
                time.sleep(1.0)


def _tell_loaded(redis: Redis, stats: Stats, results: KnownResults, model: Classifier) -> None:
    publish_found(redis, model)
    publish_loaded(redis, model)
    with suppress(*REDIS_UNUSABLE):  # none of it is a reason for a job to fail
        stats.loaded(model.name)
        results.tell_model(model.name, model.digest)


current: ContextVar[Runtime] = ContextVar("runtime")
"""The runtime of the worker that runs the job: RQ hands a job nothing but its arguments."""
