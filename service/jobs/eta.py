"""Waiting time of a queued job, estimated from what finished jobs took of their devices."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from redis import Redis

from worker.broker.contract import JobState
from worker.broker.index import JobIndex
from worker.broker.liveness import live_processes, live_workers
from worker.broker.statistics import Counter, Stats

LOOK_S = 2.0  # what is known is so old at most


@dataclass(frozen=True)
class Pace:
    """Figures that the waiting time depends on."""

    share_s: float
    """Mean seconds of a device that a job has taken so far."""
    workers: int
    running: int
    devices: int
    """Processes of the workers: those of one process share its device."""

    def wait_s(self, before: int) -> float:
        """Return the seconds until a job starts that has so many others before it."""
        if before < self.workers - self.running:
            return 0.0
        return (before + self.running / 2) * self.share_s / self.devices  # those that run are half done


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
        workers, devices = live_workers(self._redis), live_processes(self._redis)
        shares = Stats(self._redis).read().counters[Counter.SHARES]
        if workers == 0 or devices == 0 or shares.get("jobs", 0) == 0:
            return None
        running = JobIndex(self._redis).counts()[JobState.RUNNING]
        return Pace(shares["ms"] / 1000 / shares["jobs"], workers, min(running, workers), devices)
