"""Workers whose engine computes one job and then replays it; all else is the product's worker, in its own process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ep_core.schemas.progress import OnProgress, Progress
from ep_core.schemas.reports.extremal import PartialPoint
from ep_core.schemas.tasks import Outcome
from ep_core.schemas.tasks.task import TaskReport
from tests.forked import forked, work

from .recorder import Recorder

if TYPE_CHECKING:
    from torch import Tensor

STEP_S = 0.05  # between the steps of a replayed job
KEPT_S = 0.25  # between the steps of the computed job that are kept
SEED_OF_A_MS = 100_000


def seed_of(job: int, *, seconds: float) -> int:
    """Return the seed that tells the fake engine how long a job takes; `job` (< 100,000) makes its content unique."""
    return round(1000 * seconds) * SEED_OF_A_MS + job


class FakeEngine:
    """Engine that computes its first job and replays the outcome, the progress and the previews for all others.

    A job's `seed` says how long it takes (`seed_of`).

    Args:
        run: `ep_core.engine.run_task`.
    """

    def __init__(self, run: Callable[..., Outcome]) -> None:
        self._run = run
        self._report: TaskReport | None = None
        self._files: list[tuple[str, bytes]] = []
        self._next_kept = 0.0
        self._steps: list[Progress] = []

    def __call__(self, *args: Any, on_progress: OnProgress, **how: Any) -> Outcome:
        """Run a task as `run_task` does."""
        if self._report is None:
            found = self._run(*args, on_progress=partial(self._keep, on_progress), **how)
            self._report, self._files = found.report, list(found.files)
            return self._again()
        seconds = args[2].seed // SEED_OF_A_MS / 1000
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            on_progress(self._steps[int(len(self._steps) * passed / seconds)])
            time.sleep(STEP_S)
        on_progress(self._steps[-1])
        return self._again()

    def _again(self) -> Outcome:
        assert self._report is not None
        return Outcome(self._report, iter(self._files))

    def _keep(self, tell: OnProgress, progress: Progress) -> None:
        now = time.monotonic()
        if not self._steps or now >= self._next_kept or progress.iteration >= progress.total:
            self._next_kept = now + KEPT_S
            seen = _Seen(progress.partial_curve(), progress.previews())
            kept = Progress(progress.iteration, progress.total, seen, progress.standing, progress.stepping_since)
            self._steps.append(kept)
        tell(progress)


class _Seen:
    """Views of masks, as they were."""

    def __init__(self, points: list[PartialPoint], previews: Mapping[float, Tensor]) -> None:
        self._points = points
        self._previews = {area: mask.clone() for area, mask in previews.items()}

    def points(self, image: int) -> list[PartialPoint]:
        """Return the scores that were there."""
        return self._points

    def previews(self, image: int) -> dict[float, Tensor]:
        """Return the masks that were there."""
        return self._previews


def fake_worker(env: Mapping[str, str], log: Path, recorded: Path) -> BaseProcess:
    """Return a worker with a fake engine, not started yet; what it sent to Redis is in `recorded` when it has ended."""
    return forked(partial(_work, recorded), env, log)


def _work(recorded: Path) -> int:
    from worker.process import job

    recorder = Recorder()
    recorder.install()
    job.run_task = FakeEngine(job.run_task)
    code = work()
    recorder.save(recorded)
    return code
