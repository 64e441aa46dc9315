"""Meter of a worker process: its CPU seconds by what they are spent on, and its steps, told to the statistics."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import TypeVar

from ep_core.optimiser.work import Work
from worker.broker.queue import REDIS_UNUSABLE
from worker.broker.statistics import Stats

T = TypeVar("T")


class Part(StrEnum):
    """Part of the process's work."""

    STEPS = "steps"
    DECODE = "decode"
    PICTURES = "pictures"
    STORE = "store"  # in Redis or elsewhere
    REST = "rest"  # preparing and scoring images; heartbeats


class Meter:
    """Meter of one process, for the threads of all its jobs.

    The seconds of steps are the whole process's meanwhile: also those of jobs that prepare and score beside them.
    Those of the other parts are their threads' own; the rest is what is left of the process's.
    """

    def __init__(self, *, shared: bool = False) -> None:
        """Start now; `shared`: whether several jobs run at once, whose steps are counted."""
        self._shared = shared
        self._lock = threading.Lock()
        self._began = time.process_time()
        self._spent = dict.fromkeys((Part.DECODE, Part.PICTURES, Part.STORE), 0.0)
        self._told_work = Work()
        self._told: dict[Part, float] = {}

    @contextmanager
    def of(self, part: Part) -> Iterator[None]:
        """Count what this thread does meanwhile as such a part, one of those that are not told apart otherwise."""
        began = time.thread_time()
        try:
            yield
        finally:
            with self._lock:
                self._spent[part] += time.thread_time() - began

    def each(self, part: Part, items: Iterable[T]) -> Iterator[T]:
        """Yield items that are made as they are asked for, and count what that takes as such a part."""
        made = iter(items)
        while True:
            with self.of(part):
                item = next(made, None)
            if item is None:
                return
            yield item

    def tell(self, stats: Stats, work: Work) -> None:
        """Tell what has been spent since the last time; that Redis is away only puts it off.

        Args:
            stats: where to.
            work: of the process's runner, so far.
        """
        with self._lock:
            spent = self._spent | {Part.STEPS: work.cpu_s}
            left = time.process_time() - self._began - sum(spent.values())
            spent[Part.REST] = max(left, self._told.get(Part.REST, 0.0))  # a counter never falls
            with suppress(*REDIS_UNUSABLE):
                stats.spent({part: seconds - self._told.get(part, 0.0) for part, seconds in spent.items()})
                if self._shared:
                    since = work - self._told_work
                    stats.stepped(batches=since.batches, lanes=since.lanes, rows=since.rows, seconds=since.wall_s)
                self._told, self._told_work = spent, work
