"""Seats of a worker process: each takes one job after the other, all on the same device and with the same models.

A job on a seat has a lease, a heartbeat, a limit of time and a failure of its own, as if its seat were a process. What
they share is the engine, which steps the masks of all of them in common batches.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import FrameType

import structlog
import torch
from redis import Redis

from ep_core.resident import ResidentEngine
from worker.broker import stepping
from worker.broker.liveness import seat_name
from worker.broker.queue import REDIS_UNUSABLE, connect
from worker.broker.stepping import Stepping

from .activity import Activity
from .gpu_worker import GpuWorker
from .heartbeat import Heartbeat
from .meter import Meter
from .outage import wait_for_redis
from .runtime import Runtime

log = structlog.get_logger(__name__)

LOOK_S = 0.2  # how soon an unusable device is seen
TELL_S = 2.0


class Seat:
    """One job at a time, with heartbeats.

    Args:
        runtime: the seat's own name and activity, and what it shares with the process's others.
        redis: where it beats.
        welcome: called when Redis doesn't know this seat: at the start, and after it lost its data.
        in_thread: whether it works in a thread of its own, not in the main one.
        tells_memory: whether its heartbeat says what the process holds of a GPU's memory.
    """

    def __init__(
        self,
        runtime: Runtime,
        redis: Redis,
        *,
        welcome: Callable[[], None],
        in_thread: bool = False,
        tells_memory: bool = True,
    ) -> None:
        self.runtime = runtime
        self.worker = GpuWorker(runtime, connect(runtime.settings.redis_url), in_thread=in_thread)
        self._redis = redis
        self._heartbeat = Heartbeat(
            runtime, redis, renew=self.worker.renew_lease, welcome=welcome, tells_memory=tells_memory
        )

    def work(self) -> None:
        """Take jobs until the worker is stopped; an outage of Redis only interrupts it."""
        self.runtime.activity.tick()
        try:
            self._heartbeat.start()
            while not self.worker.is_stopping:
                if wait_for_redis(self._redis, self.runtime.activity, unless=lambda: self.worker.is_stopping):
                    self.worker.work()
        finally:
            self._heartbeat.stop()


def work_alone(runtime: Runtime, redis: Redis, welcome: Callable[[], None]) -> None:
    """Take one job at a time, in the main thread, until a signal stops it."""
    seat = Seat(runtime, redis, welcome=welcome)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, seat.worker.request_stop)
    _ready(runtime)
    seat.work()


def work_together(runtime: Runtime, redis: Redis, welcome: Callable[[], None]) -> None:
    """Take several jobs at a time, each in a thread of its own, until a signal stops them or the device is unusable."""
    with ResidentEngine() as engine:
        shared = replace(runtime, runner=engine, meter=Meter(shared=True))
        seats = [
            Seat(_of_seat(shared, k), redis, welcome=welcome, in_thread=True, tells_memory=k == 0)
            for k in range(runtime.settings.jobs_at_once)
        ]
        speed = _Speed(seats, engine, redis)

        def stop(_signal: int = 0, _frame: FrameType | None = None) -> None:
            for seat in seats:
                seat.worker.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        _ready(runtime)
        threads = [threading.Thread(target=seat.work, name=seat.runtime.name, daemon=True) for seat in seats]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(LOOK_S / len(threads))
            speed.tell()
            if runtime.activity.device.poisoned:
                stop()  # the second time at once: no job can go on


def _ready(runtime: Runtime) -> None:
    """Say that signals are heeded, and jobs taken."""
    threads, at_once = torch.get_num_threads(), runtime.settings.jobs_at_once
    log.info("worker ready", worker=runtime.name, threads=threads, jobs_at_once=at_once)


class _Speed:
    """Speed of the engine, published every other second."""

    def __init__(self, seats: Sequence[Seat], engine: ResidentEngine, redis: Redis) -> None:
        self._seats = seats
        self._engine = engine
        self._redis = redis
        self._seen, self._at = engine.work, time.monotonic()

    def tell(self) -> None:
        """Publish the speed since the last time, where there were steps; that Redis is away only puts it off."""
        now = time.monotonic()
        passed = now - self._at
        if passed < TELL_S:
            return
        since = self._engine.work - self._seen
        self._seen, self._at = self._engine.work, now
        runtime = self._seats[0].runtime
        runtime.tell_spent()
        if since.batches > 0:
            speed = Stepping(
                jobs=sum(seat.runtime.activity.job is not None for seat in self._seats),
                batches_per_s=since.batches / passed,
                lanes_per_s=since.lanes / passed,
                rows_per_s=since.rows / passed,
            )
            with suppress(*REDIS_UNUSABLE):
                stepping.tell(self._redis, runtime.name, speed)


def _of_seat(runtime: Runtime, seat: int) -> Runtime:
    """Return the runtime of a seat: names of workers on this host begin alike (`liveness.live_workers`)."""
    activity = Activity(stall_s=runtime.settings.stall_s, device=runtime.activity.device)
    return replace(runtime, name=seat_name(runtime.name, seat), activity=activity)
