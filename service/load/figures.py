"""Figures of a measurement: rows of its table."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .api import Ran
from .phases import Phase

PARTS = ("decode", "pictures", "store", "rest")
"""What workers spend their CPU seconds on beside steps."""
WHOLE, ADMISSION, SMALL = 1.0, 2.0, 0.25
"""Bars: whole time, steps before a job's first one, wait of a small job; see `figures`."""


@dataclass(frozen=True)
class Figure:
    """Row of the table."""

    name: str
    value: float
    bar: float | None = None
    """It should be at most so much."""

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.bar is None or self.value <= self.bar


@dataclass(frozen=True)
class Measured:
    """The three phases of a measurement."""

    in_turn: Phase
    at_once: Phase
    by_chance: Phase
    load: float
    """Share of the jobs a minute all at once, at which they came by chance."""
    processes: int
    """Of workers."""


def figures(measured: Measured) -> list[Figure]:
    """Return the rows of the table that the service gives what they need for.

    Bars are for a worker with several jobs at once: another one meets the last only by chance.
    """
    in_turn, at_once = measured.in_turn, measured.at_once
    return [
        Figure("one after the other: jobs a minute", in_turn.per_minute),
        Figure("all at once: jobs a minute", at_once.per_minute),
        Figure("all at once: whole time, as a share of that in turn", at_once.wall_s / in_turn.wall_s, WHOLE),
        *_admission(measured.by_chance, f"at {measured.load:.0%} of that, from taken to the first step"),
        *_small(measured),
        *_spent("one after the other", in_turn),
        *_spent("all at once", at_once),
    ]


def first_come(arrivals: Sequence[tuple[float, float]], servers: int) -> list[float]:
    """Return the seconds from each arrival to its end where each waits for all that came before it.

    Args:
        arrivals: times, increasing, and how long each takes once it begins; in seconds.
        servers: how many are served at a time.
    """
    free, waits = [0.0] * servers, []
    for at, seconds in arrivals:
        end = max(at, heapq.heappop(free)) + seconds
        heapq.heappush(free, end)
        waits.append(end - at)
    return waits


def first_come_waits(measured: Measured) -> list[float]:
    """Return the seconds that small jobs would have waited in a line, each job taking as long as alone."""
    phase = measured.by_chance
    alone = {kind: median(job.run_s for job in measured.in_turn.some(small=kind)) for kind in (False, True)}
    arrivals = [(job.posted - phase.began, alone[job.small]) for job in phase.jobs]
    waits = first_come(arrivals, max(1, measured.processes))
    return [wait for wait, job in zip(waits, phase.jobs, strict=True) if job.small]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values don't exceed."""
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def to_first_step(jobs: Sequence[Ran]) -> list[float]:
    """Return the seconds from each job's start to its first step, of those that have steps."""
    return [job.first_step - job.taken for job in jobs if job.first_step is not None]


def _admission(phase: Phase, what: str) -> list[Figure]:
    seconds = to_first_step(phase.jobs)
    if not seconds:
        return []
    found = [
        Figure(f"{what}: s, median", median(seconds)),
        Figure(f"{what}: s, p95", quantile(seconds, 0.95)),
    ]
    batches = phase.counted.get(("ep_shared_batches_total",), 0.0)
    if batches > 0:
        step_s = phase.counted["ep_shared_seconds_total",] / batches
        found.append(Figure(f"{what}: steps of the device, p95", quantile(seconds, 0.95) / step_s, ADMISSION))
    return found


def _small(measured: Measured) -> list[Figure]:
    """Return the wait of small jobs among long ones, beside that of the same arrivals, each served as it comes."""
    what = "a small job among the others, posted to finished"
    small = measured.by_chance.some(small=True)
    if not small:
        return []
    in_line = median(first_come_waits(measured))
    found = median(job.wait_s for job in small)
    return [
        Figure(f"{what}: s, median", found),
        Figure("the same in a line, each as long as alone (computed): s, median", in_line),
        Figure("share of the one in the other", found / in_line, SMALL),
    ]


def _spent(what: str, phase: Phase) -> list[Figure]:
    """Return the CPU seconds that workers spent on a job, beside its steps and on them."""
    spent = {part: phase.counted.get(("ep_worker_cpu_seconds_total", part), 0.0) for part in ("steps", *PARTS)}
    jobs = len(phase.jobs)
    return [
        Figure(f"{what}, CPU seconds a job: its steps", spent["steps"] / jobs),
        Figure(f"{what}, CPU seconds a job: beside them", sum(spent[part] for part in PARTS) / jobs),
        *(Figure(f"{what}, of these: {part}", spent[part] / jobs) for part in PARTS),
    ]
