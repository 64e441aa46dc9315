"""Progress hook that the engine calls at every iteration: signs of life, cancellation, progress."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from ep_core.schemas.progress import Progress
from worker.broker.contract import JobProgress, MapPreview, Previews
from worker.broker.queue import REDIS_UNUSABLE

from .interrupts import NotOurs, OutOfTime, ShuttingDown
from .meter import Part
from .previews import render_map, render_masks
from .runtime import Runtime

LOOK_S = 0.2  # one cheap call to Redis this often
SHOW_S = 2.0  # previews of the masks take a little longer
EARLY_S, EARLY_SHOW_S = 10.0, 1.0  # at first, when the masks change the most
WRITE_S = 0.5  # the partial curve costs the device a synchronisation
AWAY_S = 3.0  # the pause after a call that found Redis away

log = structlog.get_logger(__name__)


class ProgressHook:
    """Watches over one attempt while the engine works; raises an `Interrupt` where it has to end.

    Losing Redis for a while does not end it.

    Args:
        runtime: the worker's.
        job_id: whose progress it is.
        attempt: the attempt that writes it.
        limit_s: seconds that the attempt may take, from now.
    """

    def __init__(self, runtime: Runtime, job_id: str, *, attempt: int, limit_s: float) -> None:
        self._store = runtime.store
        self._meter = runtime.meter
        self._activity = runtime.activity
        self._job_id = job_id
        self._attempt = attempt
        self._started = self._activity.clock()
        self._ends_by = self._started + limit_s
        self._next_look = self._next_write = self._next_show = self._started
        self._first: tuple[int, float] | None = None
        self._first_step_at: datetime | None = None
        self._stage: str | None = None
        self._maps: dict[str, MapPreview] = {}
        self.iterations = 0
        """Iterations of the engine so far."""

    def __call__(self, progress: Progress) -> None:
        """Record an iteration."""
        now = self._activity.clock()
        self._activity.tick()
        if progress.iteration > 0:
            self._first = self._first or (progress.iteration, now)
        self.iterations = progress.iteration
        if self._activity.must_stop:
            raise ShuttingDown
        if now >= self._ends_by:
            raise OutOfTime
        is_news = progress.iteration >= progress.total
        if progress.standing.stage != self._stage:
            self._stage, self._next_show, is_news = progress.standing.stage, now, True
        if now >= self._next_look or is_news:
            self._next_look = now + LOOK_S
            self._look(progress, now, write=now >= self._next_write or is_news)

    def _look(self, progress: Progress, now: float, *, write: bool) -> None:
        try:
            ours = self._write(progress, now) if write else self._store.holds(self._job_id, attempt=self._attempt)
        except REDIS_UNUSABLE as error:
            log.warning("Redis is away or takes no writes: progress waits", error=str(error))
            self._next_look = self._activity.clock() + AWAY_S
            return
        if not ours:
            raise NotOurs

    def _write(self, progress: Progress, now: float) -> bool:
        if self._first_step_at is None and progress.stepping_since is not None:
            self._first_step_at = datetime.fromtimestamp(progress.stepping_since, UTC)
        points = progress.partial_curve()
        self._next_write = self._activity.clock() + WRITE_S
        done = JobProgress(
            iteration=progress.iteration,
            total=progress.total,
            fraction=min(1.0, progress.iteration / progress.total),
            eta_s=self._eta(progress, now),
            first_step_at=self._first_step_at,
            stage=progress.standing.stage,
            subject=progress.subject(),
            ended=list(progress.standing.maps),
        )
        with self._meter.of(Part.STORE):
            ours = self._store.update(self._job_id, attempt=self._attempt, progress=done, partial_curve=points)
        return ours and self._show(progress, now)

    def _show(self, progress: Progress, now: float) -> bool:
        if now < self._next_show:
            return True
        with self._meter.of(Part.PICTURES):
            for method, found in progress.standing.maps.items():
                if method not in self._maps:  # a map never changes
                    self._maps[method] = render_map(method, found)
            previews = Previews(masks=render_masks(progress.previews()), maps=list(self._maps.values()))
        if previews == Previews():
            return True
        self._next_show = now + (EARLY_SHOW_S if now < self._started + EARLY_S else SHOW_S)
        with self._meter.of(Part.STORE):
            return self._store.show(self._job_id, attempt=self._attempt, previews=previews)

    def _eta(self, progress: Progress, now: float) -> float | None:
        """Return the seconds left at the speed since the first iteration, whose own set-up doesn't count."""
        iteration, began = self._first or (progress.iteration, now)
        steps = progress.iteration - iteration
        if steps <= 0:
            return None
        return round((now - began) / steps * (progress.total - progress.iteration), 2)
