"""Activity of a worker's main thread: written by it at every step, read by the heartbeat thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

LOADING_S = 900.0  # a model's weights may have to be downloaded first

Fault = Literal["stalled", "overdue"]


@dataclass(frozen=True)
class RunningJob:
    """The attempt under way."""

    job_id: str
    attempt: int
    ends_by: float
    """Deadline of the job, the grace included, on the activity's clock."""


class DeviceState:
    """State of the device, shared by all jobs of a process.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._jobs = 0
        self._share_s, self._as_of = 0.0, clock()
        self.poisoned = False
        """Whether it is unusable in this process, so that it has to end."""

    def count(self, more: int) -> float:
        """Note that so many more jobs run, or fewer where that is below 0.

        Returns:
            The seconds of the device that a job that had run all the time would have had, were each moment divided
            among those that run.
        """
        with self._lock:
            now = self._clock()
            self._share_s += (now - self._as_of) / max(1, self._jobs)
            self._as_of = now
            self._jobs += more
            return self._share_s

    def poison(self) -> bool:
        """Note that it is unusable; return whether that is news."""
        with self._lock:
            is_news, self.poisoned = not self.poisoned, True
        return is_news


class Activity:
    """Signs of life and orders to stop, shared by the threads of one worker.

    Args:
        stall_s: seconds without a `tick` after which the main thread counts as hung.
        clock: seconds, monotonic.
        device: shared with the other jobs of the process.
    """

    def __init__(
        self, *, stall_s: float, clock: Callable[[], float] = time.monotonic, device: DeviceState | None = None
    ) -> None:
        self._stall_s = stall_s
        self.clock = clock
        self.device = device or DeviceState(clock)
        self._share_began = 0.0
        self._quiet_until = clock() + stall_s
        self.job: RunningJob | None = None
        self.stop_by: float | None = None
        """Time at which a running job has to be put back, because the worker shuts down."""

    def tick(self) -> None:
        """Show a sign of life."""
        self._quiet_until = self.clock() + self._stall_s

    def allow(self, seconds: float) -> None:
        """Announce a step that may take up to `seconds` (or the usual bound, if that is longer) without a sign."""
        self._quiet_until = self.clock() + max(seconds, self._stall_s)

    def begin(self, job_id: str, *, attempt: int, limit_s: float) -> None:
        """Begin an attempt that may take `limit_s` seconds, its grace included."""
        self.tick()
        self._share_began = self.device.count(+1)
        self.job = RunningJob(job_id, attempt, self.clock() + limit_s)

    def share_s(self) -> float:
        """Return the attempt's share of the device so far in seconds: by itself, all of its time."""
        return self.device.count(0) - self._share_began

    def end(self) -> None:
        """End the attempt."""
        if self.job is not None:
            self.device.count(-1)
        self.job = None
        self.tick()

    def stop_within(self, seconds: float) -> None:
        """Order the job to be put back unless it ends within `seconds`; a later order can only shorten that."""
        wanted = self.clock() + seconds
        self.stop_by = wanted if self.stop_by is None else min(self.stop_by, wanted)

    @property
    def must_stop(self) -> bool:
        """Whether the job has to be put back now."""
        return self.stop_by is not None and self.clock() >= self.stop_by

    def fault(self) -> Fault | None:
        """Return what is wrong with the main thread, if anything: no sign of life, or a job over its time."""
        job, now = self.job, self.clock()
        if job is not None and now > job.ends_by:
            return "overdue"
        return "stalled" if now > self._quiet_until else None
