"""Waiting time of a queued job, estimated from the durations of finished jobs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from redis import Redis

from worker.broker.contract import JobState
from worker.broker.index import JobIndex
from worker.broker.liveness import live_workers
from worker.broker.statistics import Counter, Stats

LOOK_S = 2.0  # what is known is so old at most


@dataclass(frozen=True)
class Pace:
    """Figures that the waiting time depends on."""

    run_s: float
    """Mean seconds of a job so far."""
    workers: int
    running: int

    def wait_s(self, before: int) -> float:
        """Return the seconds until a job starts that has so many others before it."""
        if before < self.workers - self.running:
            return 0.0
        return (before + self.running / 2) * self.run_s / self.workers  # those that run are half done


class QueuePace:
    """Pace of the queue, read from Redis every few seconds at most."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._lock = threading.Lock()
        self._pace: Pace | None = None
        self._next_look = 0.0

    @property
    def is_known(self) -> bool:
        """True where `wait_s` returns without a call to Redis."""
        return time.monotonic() < self._next_look

    def wait_s(self, before: int) -> float | None:
        """Return the seconds that a job will wait; None where no worker lives, or none has finished a job yet."""
        with self._lock:
            if time.monotonic() >= self._next_look:
                self._pace = self._look()
                self._next_look = time.monotonic() + LOOK_S
        return None if self._pace is None else round(self._pace.wait_s(before), 1)

    def _look(self) -> Pace | None:
        workers = live_workers(self._redis)
        runs = Stats(self._redis).read().histograms[Counter.RUN_S].values()
        count = sum(run.count for run in runs)
        if workers == 0 or count == 0:
            return None
        running = JobIndex(self._redis).counts()[JobState.RUNNING]
        return Pace(sum(run.total for run in runs) / count, workers, min(running, workers))
