"""Progress of a sweep over all of its stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ep_core.optimiser.solver import Runner, Solver
from ep_core.schemas.progress import OnProgress, Progress, Seen, Standing, SweepStage
from ep_core.schemas.reports.subject import Subject


class Watch:
    """Runs solvers to their ends, one after the other, and reports the progress of all of them together."""

    def __init__(self, total: float, on_progress: OnProgress | None, runner: Runner) -> None:
        """Set the most steps that there will be, the receiver of the progress, and what runs the solvers."""
        self._runner = runner
        self._total = round(total)
        self._done = 0.0
        self._told = 0
        self._on_progress = on_progress
        self._seen: Seen | None = None
        self._standing = Standing()
        self._stepping_since: float | None = None

    def explains(self, subjects: Sequence[Subject]) -> None:
        """Note what is explained from now on; its masks are yet to come."""
        self._seen = None
        self._standing = Standing(subjects=subjects)

    def enter(self, stage: SweepStage) -> None:
        """Begin a stage, and report it; while a former stage's masks are seen, later."""
        if stage == self._standing.stage:
            return
        self._standing = replace(self._standing, stage=stage)
        if self._seen is None or stage != "masks":
            self._tell(self._told)

    def follow(self, solver: Solver, seen: Seen | None = None, cost: float = 1.0) -> None:
        """Run a solver to its end.

        Args:
            solver: at its start.
            seen: shows its masks; None keeps those that were seen last.
            cost: what a step of it counts as.
        """
        self._seen = seen or self._seen
        for done in self._runner.run(solver):
            self._stepping_since = self._stepping_since or solver.began_at
            self._tell(self._done + cost * done)
        self._done += cost * solver.total

    def finish(self) -> None:
        """Report that all is done, where that hasn't been reported; steps that were not needed count as taken."""
        if self._told < self._total:
            self._tell(self._total)

    def _tell(self, done: float) -> None:
        self._told = min(round(done), self._total)
        if self._on_progress is not None:
            self._on_progress(Progress(self._told, self._total, self._seen, self._standing, self._stepping_since))
