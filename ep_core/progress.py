"""How far a run has come."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

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
        return [point for _, point in self._best(image)]

    def previews(self, image: int = 0) -> dict[float, Tensor]:
        """Return the best mask so far of each such area, about as it is: H x W in [0, 1]; nothing for channels.

        Waits for the device, and takes about as long as smoothing the masks once.
        """
        best = self._best(image) if self._unit == 1 else []
        if self._solver is None or not best:
            return {}
        masks = self._solver.rule.previews([row for row, _ in best])
        return {point.area: mask for (_, point), mask in zip(best, masks[:, 0], strict=True)}

    def _best(self, image: int) -> list[tuple[int, PartialPoint]]:
        """Return by area the lane that scores best, and its point."""
        if self._solver is None:
            return []
        solver = self._solver
        rows = [k for k, lane in enumerate(solver.lanes) if lane.image == image and solver.taken[k] is not None]
        columns = zip(rows, solver.rule.areas[rows].tolist(), solver.rule.values[rows].tolist(), strict=True)
        found: dict[float, tuple[int, PartialPoint]] = {}
        for k, measured, value in columns:
            area = self._area(solver.lanes[k].area)
            if area not in found or value > found[area][1].score:
                found[area] = k, PartialPoint(area=area, measured_area=measured * self._unit, score=value)
        return [found[area] for area in sorted(found)]

    def part_of(self, iteration: int, total: int) -> Progress:
        """Return this as a part of something longer, which has come to `iteration` of `total`."""
        return Progress(iteration, total, self._solver, unit=self._unit)

    def _area(self, share: float) -> float:
        return share if self._unit == 1 else round(share * self._unit)


OnProgress = Callable[[Progress], None]
