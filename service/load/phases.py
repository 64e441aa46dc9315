"""Phases of a measurement: jobs one after the other, all at once, and as they come by chance."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .api import LoadFailed, Ran, Service

LOOK_S = 0.05
TOLD_S = 30.0  # for the workers to count what they have done

OnJob = Callable[[str, int, int], None]
"""Called with the phase's name, its jobs that have ended, and all of them."""


@dataclass(frozen=True)
class Mix:
    """Jobs that are posted: many long ones, and every so many a small one."""

    images: Sequence[bytes]
    long: Mapping[str, Any]
    """Parameters."""
    small: Mapping[str, Any]
    every: int
    """The last of so many jobs is a small one."""

    def is_small(self, number: int) -> bool:
        """Return whether the job of this number, from 0, is a small one."""
        return number % self.every == self.every - 1

    def post(self, service: Service, number: int) -> str:
        """Post the job of a number; return its id."""
        params = self.small if self.is_small(number) else self.long
        return service.post(self.images[number % len(self.images)], params)


@dataclass(frozen=True)
class Phase:
    """Jobs of a phase, and what the workers did meanwhile."""

    jobs: Sequence[Ran]
    """In the order in which they were posted."""
    counted: Mapping[tuple[str, ...], float]
    """Rise of the service's counters, by name and the values of their labels."""

    @property
    def began(self) -> float:
        """Time of the first posting, in seconds since the epoch."""
        return min(job.posted for job in self.jobs)

    @property
    def wall_s(self) -> float:
        """Seconds from the first posting to the last end."""
        return max(job.finished for job in self.jobs) - self.began

    @property
    def per_minute(self) -> float:
        """Jobs a minute."""
        return 60 * len(self.jobs) / self.wall_s

    def some(self, *, small: bool) -> list[Ran]:
        """Return the small jobs, or the long ones."""
        return [job for job in self.jobs if job.small is small]


def in_turn(service: Service, mix: Mix, jobs: int, on_job: OnJob) -> Phase:
    """Post each job when the one before has ended."""
    return _phase(service, mix, [None] * jobs, lambda done: on_job("one after the other", done, jobs))


def at_once(service: Service, mix: Mix, jobs: int, on_job: OnJob) -> Phase:
    """Post all jobs as soon as may be."""
    return _phase(service, mix, [0.0] * jobs, lambda done: on_job("all at once", done, jobs))


def by_chance(service: Service, mix: Mix, jobs: int, on_job: OnJob, *, per_minute: float, seed: int) -> Phase:
    """Post jobs as they come (a Poisson process), so many a minute on average."""
    times = poisson(jobs, per_s=per_minute / 60, seed=seed)
    return _phase(service, mix, times, lambda done: on_job("as they come", done, jobs))


def poisson(count: int, *, per_s: float, seed: int) -> list[float]:
    """Return the times of arrivals, in seconds from the first one: a Poisson process of this rate."""
    chance, times = random.Random(seed), [0.0]  # noqa: S311
    while len(times) < count:
        times.append(times[-1] + chance.expovariate(per_s))
    return times


def _phase(service: Service, mix: Mix, times: Sequence[float | None], tell: Callable[[int], None]) -> Phase:
    """Post jobs at these seconds from now (None: when all before it have ended), and wait for all of them."""
    before, began = service.metrics(), time.monotonic()
    waiting, running = deque(enumerate(times)), dict[int, str]()
    ended: dict[int, Ran] = {}
    while waiting or running:
        while waiting and _is_due(waiting[0][1], time.monotonic() - began, running):
            number, _ = waiting.popleft()
            running[number] = mix.post(service, number)
        for number, job_id in list(running.items()):
            ran = service.look(job_id, small=mix.is_small(number))
            if ran is not None:
                del running[number]
                ended[number] = ran
                tell(len(ended))
        time.sleep(LOOK_S)
    return Phase([ended[number] for number in sorted(ended)], _risen(service, before, len(ended)))


def _is_due(at: float | None, now: float, running: Mapping[int, str]) -> bool:
    return not running if at is None else now >= at


def _risen(service: Service, before: Mapping[tuple[str, ...], float], jobs: int) -> dict[tuple[str, ...], float]:
    """Return the rise of all samples, once the workers have counted so many jobs."""
    deadline = time.monotonic() + TOLD_S
    while True:
        now = service.metrics()
        risen = {name: value - before.get(name, 0.0) for name, value in now.items()}
        if sum(value for name, value in risen.items() if name[0] == "ep_jobs_finished_total") >= jobs:
            return risen
        if time.monotonic() > deadline:
            raise LoadFailed(f"/metrics counts fewer than the {jobs} jobs that have ended: is it this service's?")
        time.sleep(LOOK_S)
