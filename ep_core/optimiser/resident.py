"""Resident runner: one thread steps the lanes of all solvers that any threads hand over, in common batches.

A thread that waits for its solver lets others use the networks that it is in (`turns.aside`): between two steps they
prepare images, score masks, or call the network's other methods.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from ep_core.models.runtime.turns import aside
from ep_core.models.tuning.tune import SharedCopies

from .scheduler import Scheduler
from .solver import Solver
from .work import Work

LOOK_S = 0.05
"""Seconds between two looks at a solver's lanes: each copies their state."""

log = logging.getLogger(__name__)


class EngineClosed(RuntimeError):
    """The resident runner was closed while it had lanes to step."""


@dataclass(eq=False)
class _Ticket:
    """A solver that was handed over, as both threads know it; guarded by the runner's condition."""

    solver: Solver
    wants_look: bool = False
    """Whether its own thread waits for the solver's state; until it does again, nobody changes that."""
    next_look: float = 0.0
    is_withdrawn: bool = False
    is_over: bool = False
    error: BaseException | None = None


class Resident:
    """Runs the solvers of many threads in common batches; a `Runner`, and a context manager."""

    def __init__(self) -> None:
        """Start no thread yet: that is the first solver's."""
        self._scheduler = Scheduler(shared=True)
        self._changed = threading.Condition()
        self._new: list[_Ticket] = []
        self._tickets: list[_Ticket] = []
        self._closed = False
        self._thread: threading.Thread | None = None
        self._copies = SharedCopies()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def work(self) -> Work:
        """Steps that have been taken."""
        return replace(self._scheduler.work)

    def close(self) -> None:
        """End the thread; who still waits for a solver gets an `EngineClosed`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def tune(self, network: nn.Module, example: Tensor) -> nn.Module:
        """Return a tuned copy of the network, the same for all who are in: their lanes share its batches."""
        return self._copies.tune(network, example)

    def run(self, solver: Solver) -> Iterator[int]:
        """Step all lanes to their ends beside those of other solvers, yielding `done` a few times a second.

        Raises:
            EngineClosed: it was closed.
            Exception: what the network raises at these lanes.
        """
        ticket = self._hand_over(solver)
        with aside():
            try:
                while not ticket.is_over:
                    self._look(ticket)
                    yield solver.done
            finally:
                self._withdraw(ticket)
        if ticket.error is not None:
            raise ticket.error

    def _hand_over(self, solver: Solver) -> _Ticket:
        ticket = _Ticket(solver)
        with self._changed:
            if self._closed:
                raise EngineClosed("the engine is closed")
            self._new.append(ticket)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, args=(torch.get_num_threads(),), name="stepping", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
        return ticket

    def _look(self, ticket: _Ticket) -> None:
        """Wait until the solver has been shown its state."""
        with self._changed:
            ticket.wants_look = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: ticket.is_over or not ticket.wants_look)

    def _withdraw(self, ticket: _Ticket) -> None:
        """Take the solver back, whether or not its lanes have come to their ends."""
        with self._changed:
            ticket.is_withdrawn = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: ticket.is_over)

    # What follows is the stepping thread's.

    def _work(self, threads: int) -> None:
        torch.set_num_threads(threads)  # a thread's own
        error: BaseException = EngineClosed("the engine was closed")
        try:
            while self._sort_out():
                self._scheduler.step()
        except BaseException as fault:
            log.exception("the engine failed")
            error = fault
        with self._changed:
            self._closed = True
            for ticket in [*self._tickets, *self._new]:
                ticket.is_over, ticket.error = True, error
            self._changed.notify_all()

    def _sort_out(self) -> bool:
        """Let solvers in and out, and wait where there is none; return whether there are lanes to step."""
        with self._changed:
            while not self._closed:
                for ticket in [one for one in self._tickets if self._may_end(one)]:
                    self._end(ticket)
                for ticket in self._new:
                    self._scheduler.admit(ticket.solver)
                self._tickets += self._new
                self._new.clear()
                self._show_all()
                if not all(self._is_done(ticket) for ticket in self._tickets):
                    return True
                self._changed.wait_for(lambda: self._new or self._closed or any(map(self._may_end, self._tickets)))
            return False

    def _is_done(self, ticket: _Ticket) -> bool:
        solver = ticket.solver
        return ticket.is_withdrawn or solver in self._scheduler.errors or not solver.unfinished()

    def _may_end(self, ticket: _Ticket) -> bool:
        """Return whether a solver is done, and its thread doesn't look at its state, which is written once more."""
        return self._is_done(ticket) and (ticket.wants_look or ticket.is_withdrawn)

    def _end(self, ticket: _Ticket) -> None:
        self._scheduler.dismiss(ticket.solver)
        self._tickets.remove(ticket)
        ticket.error = self._scheduler.errors.pop(ticket.solver, None)
        ticket.is_over = True
        self._changed.notify_all()

    def _show_all(self) -> None:
        """Show their states to those who want to look, and have not looked a moment ago."""
        now = time.monotonic()
        for ticket in self._tickets:
            if ticket.wants_look and now >= ticket.next_look:
                self._scheduler.show(ticket.solver)
                ticket.wants_look, ticket.next_look = False, now + LOOK_S
                self._changed.notify_all()
