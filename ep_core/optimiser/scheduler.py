"""Scheduler: the choice of the lanes that are stepped next, among those of many solvers.

Each step goes to the pool, and there to the solvers, that the device has worked for least, so that none starves: a
small solver is done soon beside a large one, and a newcomer is in the next batch. (Stride scheduling, Waldspurger and
Weihl 1995: a newcomer counts as if it had had as much as whoever has had least.)
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from ep_core.masks.masked_images import MaskedScores
from ep_core.models.runtime.memory import free_memory, is_of_device, is_out_of_memory
from ep_core.models.runtime.turns import is_free, one_thread

from .chunks import even_length
from .pool import Member, Pool, pool_key
from .solver import Solver
from .work import Work

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Entry:
    """A pool, with what the device has done for it and for each of its solvers."""

    pool: Pool
    seconds: float
    """Per solver that was in."""
    lanes: dict[Solver, int] = field(default_factory=dict)
    """Steps of its lanes, that were taken since it came, and what was counted then."""
    ended: set[Solver] = field(default_factory=set)
    """Those that an error has ended."""

    @property
    def waiting(self) -> list[Solver]:
        """Solvers with lanes to step, the one that has had least first, of equals the last that came."""
        ready = [one for one in reversed(self.lanes) if one.unfinished() and one not in self.ended]
        return sorted(ready, key=lambda one: self.lanes[one])


class Scheduler:
    """Steps the lanes of the solvers that are in, batch by batch."""

    def __init__(self, *, shared: bool, work: Work | None = None) -> None:
        """Start with no solver; `shared`: others will come while one is in; `work`: where steps are counted."""
        self._shared = shared
        self._entries: dict[Hashable, _Entry] = {}
        self.work = work or Work()
        self.errors: dict[Solver, Exception] = {}
        """What ended a solver's lanes."""

    @property
    def solvers(self) -> list[Solver]:
        """Solvers that are in."""
        return [solver for entry in self._entries.values() for solver in entry.lanes]

    def admit(self, solver: Solver) -> None:
        """Let a solver in; its lanes are in the next batches."""
        key = pool_key(solver)
        entry = self._entries.get(key)
        if entry is None:
            least = min((one.seconds for one in self._entries.values()), default=0.0)
            entry = self._entries[key] = _Entry(Pool(solver, shared=self._shared), least)
        else:
            entry.pool.admit(solver)
        entry.lanes[solver] = min(entry.lanes.values(), default=0)

    def show(self, solver: Solver) -> None:
        """Give a solver the state of its lanes as it is now."""
        self._entry(solver).pool.show(solver)

    def dismiss(self, solver: Solver) -> None:
        """Let a solver go, with the state of its lanes as it is now; a pool ends with its last solver."""
        entry = self._entry(solver)
        entry.pool.dismiss(solver)
        del entry.lanes[solver]
        entry.ended.discard(solver)
        if not entry.lanes:
            self._entries = {key: one for key, one in self._entries.items() if one is not entry}

    def step(self) -> None:
        """Step one batch; where memory runs out, smaller ones from then on.

        An error of the network ends the lanes of the solvers that have it when they are stepped by themselves, and no
        others (`errors`).
        """
        entry = self._next()
        if entry is None:
            return
        members = _batch(entry)
        started = time.perf_counter()
        with _turn(entry.pool), self.work.counted(len(members), entry.pool.max_lanes):
            _begin(members)
            self._try(entry, members)
        entry.seconds += (time.perf_counter() - started) / len(entry.lanes)

    def _entry(self, solver: Solver) -> _Entry:
        return next(entry for entry in self._entries.values() if solver in entry.lanes)

    def _next(self) -> _Entry | None:
        """Return the pool whose turn it is; while another thread has a pool's network, those of others come first."""
        waiting = [entry for entry in self._entries.values() if entry.waiting]
        free = [entry for entry in waiting if len(waiting) == 1 or _is_free(entry.pool)]
        return min(free or waiting, key=lambda entry: entry.seconds, default=None)

    def _try(self, entry: _Entry, members: Sequence[Member]) -> None:
        pool = entry.pool
        try:
            pool.step(members)
        except Exception as error:
            if is_out_of_memory(error) and len(members) > 1:
                _step_fewer(pool, len(members), error)
                return
            solvers = list(dict.fromkeys(solver for solver, _ in members))
            if len(solvers) == 1 or is_of_device(error):
                self.errors |= dict.fromkeys(solvers, error)
                entry.ended.update(solvers)
                return
            for solver in solvers:
                self._try(entry, [one for one in members if one[0] is solver])
        else:
            _count(entry, members)


def _begin(members: Sequence[Member]) -> None:
    """Note the time with the solvers that are stepped for the first time."""
    now = time.time()
    for solver, _ in members:
        solver.began_at = solver.began_at or now


def _count(entry: _Entry, members: Sequence[Member]) -> None:
    """Count a step of lanes, and end those that stand on a plateau."""
    looked: list[Member] = []
    for solver in dict.fromkeys(solver for solver, _ in members):
        lanes = [k for one, k in members if one is solver]
        entry.lanes[solver] += len(lanes)
        looked += [(solver, k) for k in solver.stepped(lanes)]
    if looked:
        for (solver, k), value in zip(looked, entry.pool.values(looked), strict=True):
            solver.stop([k], [value])


def _step_fewer(pool: Pool, count: int, error: Exception) -> None:
    """Halve a pool's batches after a step of so many lanes ran out of memory."""
    pool.max_lanes = math.ceil(count / 2)
    error.__traceback__ = None  # its frames hold the tensors of the failed step
    log.warning("out of memory: %d lanes in a batch from now on", pool.max_lanes)
    pool.forget_steps()
    free_memory()


def _batch(entry: _Entry) -> list[Member]:
    """Return the lanes that are stepped next: of who has had least, those that are farthest behind."""
    ready = [(solver, k) for solver in entry.waiting for k in sorted(solver.unfinished(), key=solver.taken.__getitem__)]
    return ready[: even_length(len(ready), entry.pool.max_lanes)]


def _is_free(pool: Pool) -> bool:
    return not isinstance(pool.scores, MaskedScores) or is_free(pool.scores.network)


def _turn(pool: Pool) -> AbstractContextManager[None]:
    """Return the turn at a pool's network; where scores are not `MaskedScores`, the caller has it."""
    return one_thread(pool.scores.network) if isinstance(pool.scores, MaskedScores) else nullcontext()
