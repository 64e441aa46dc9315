"""Heartbeat thread: reports that this worker is alive, as long as its main thread shows signs of life."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress

import structlog
from redis import Redis

from ep_core.models.runtime.memory import device_bytes
from worker.broker import liveness
from worker.broker.problems import timed_out, worker_lost
from worker.broker.queue import REDIS_UNUSABLE

from .activity import Fault
from .runtime import BEATS_PER_LEASE, Runtime

EXIT_HUNG = 70  # the supervisor starts the worker again

log = structlog.get_logger(__name__)


class Heartbeat(threading.Thread):
    """Beats every `settings.heartbeat_s` seconds; ends the process when the main thread hangs.

    Args:
        runtime: the worker's.
        redis: where to.
        renew: prolongs the lease of the running job, if there is one.
        welcome: called when Redis doesn't know this worker: at the start, and after it lost its data.
        tells_memory: whether it says what the process holds of a GPU's memory.
    """

    def __init__(
        self,
        runtime: Runtime,
        redis: Redis,
        *,
        renew: Callable[[], None],
        welcome: Callable[[], None],
        tells_memory: bool = True,
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._runtime = runtime
        self._redis = redis
        self._renew = renew
        self._welcome = welcome
        self._tells_memory = tells_memory
        self._stopping = threading.Event()
        self._away = False

    def run(self) -> None:
        """Beat until stopped."""
        while not self._stopping.is_set():
            fault = self._runtime.activity.fault()
            if fault is not None:
                self._give_up(fault)
            try:
                self._beat()
                self._away = False
            except REDIS_UNUSABLE as error:
                if not self._away:
                    log.warning("Redis is away or takes no writes: no heartbeat", error=str(error))
                self._away = True
            except Exception:
                log.exception("heartbeat failed")
            self._stopping.wait(self._runtime.settings.heartbeat_s)

    def stop(self) -> None:
        """Stop beating, and sign this worker off."""
        self._stopping.set()
        if self.is_alive():  # a signal may have come before it began
            self.join(timeout=5.0)
        with suppress(*REDIS_UNUSABLE):
            liveness.sign_off(self._redis, self._runtime.name)

    def _beat(self) -> None:
        ttl_s = BEATS_PER_LEASE * self._runtime.settings.heartbeat_s
        memory = device_bytes() if self._tells_memory else None
        known = liveness.beat(self._redis, self._runtime.name, ttl_s=ttl_s, memory_bytes=memory)
        self._renew()
        if not known:
            self._welcome()

    def _give_up(self, fault: Fault) -> None:
        """End the process: the job's lease expires, and its next worker runs it again.

        Unless it was over its time, or this wasn't its first attempt: a job that hangs takes minutes each time.
        """
        job = self._runtime.activity.job
        log.error("the main thread hangs, the worker ends", fault=fault, job=job.job_id if job else None)
        if job is not None and (fault == "overdue" or job.attempt > 1):
            problem = timed_out(self._runtime.settings.job_timeout_s) if fault == "overdue" else worker_lost()
            with suppress(Exception):
                self._runtime.fail(job.job_id, problem, attempt=job.attempt)
        with suppress(Exception):
            liveness.sign_off(self._redis, self._runtime.name)
        os._exit(EXIT_HUNG)
