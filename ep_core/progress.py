"""How far a run has come."""

from __future__ import annotations

from collections.abc import Callable

from .report import PartialPoint
from .solver import Solver


class Progress:
    """How far a run has come; given to `on_progress` after every round of steps.

    Attributes:
        iteration, total: steps of all masks together, and of what else there is to do.
    """

    def __init__(self, iteration: int, total: int, solver: Solver | None = None, *, unit: float = 1) -> None:
        """Look at a run after `iteration` of `total` iterations.

        Args:
            iteration: steps that are done.
            total: steps that there are.
            solver: what finds the masks, while it does.
            unit: what the whole area counts as: 1, or a layer's channels.
        """
        self.iteration = iteration
        self.total = total
        self._solver = solver
        self._unit = unit

    def partial_curve(self, image: int = 0) -> list[PartialPoint]:
        """Return the best score so far of each area that is worked on already, of one of the images that are.

        Waits for the device: ask a few times a second at most.
        """
        if self._solver is None:
            return []
        solver = self._solver
        rows = [k for k, lane in enumerate(solver.lanes) if lane.image == image and solver.taken[k] is not None]
        columns = zip(rows, solver.rule.areas[rows].tolist(), solver.rule.values[rows].tolist(), strict=True)
        points: dict[float, PartialPoint] = {}
        for k, measured, value in columns:
            area = self._area(solver.lanes[k].area)
            if area not in points or value > points[area].score:
                points[area] = PartialPoint(area=area, measured_area=measured * self._unit, score=value)
        return [points[area] for area in sorted(points)]

    def part_of(self, iteration: int, total: int) -> Progress:
        """Return this as a part of something longer, which has come to `iteration` of `total`."""
        return Progress(iteration, total, self._solver, unit=self._unit)

    def _area(self, share: float) -> float:
        return share if self._unit == 1 else round(share * self._unit)


OnProgress = Callable[[Progress], None]
