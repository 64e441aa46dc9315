"""Views of a solver's lanes while they are stepped."""

from __future__ import annotations

from torch import Tensor

from ep_core.schemas.reports.extremal import PartialPoint

from .solver import Solver


class LanesSeen:
    """Views of a solver's lanes: for each area the one that scores best."""

    def __init__(self, solver: Solver, *, unit: float = 1) -> None:
        """Set the solver.

        Args:
            solver: what finds the masks.
            unit: what the whole area counts as: 1, or a layer's channels.
        """
        self._solver = solver
        self._unit = unit

    def points(self, image: int) -> list[PartialPoint]:
        """Return the best score so far of each area, by increasing area."""
        return [point for _, point in self._best(image)]

    def previews(self, image: int) -> dict[float, Tensor]:
        """Return the best mask so far of each area: H x W in [0, 1]; nothing for channels."""
        best = self._best(image) if self._unit == 1 else []
        if not best:
            return {}
        masks = self._solver.rule.previews([row for row, _ in best])
        return {point.area: mask for (_, point), mask in zip(best, masks[:, 0], strict=True)}

    def _best(self, image: int) -> list[tuple[int, PartialPoint]]:
        """Return by area the lane that scores best, and its point."""
        solver = self._solver
        rows = [k for k, lane in enumerate(solver.lanes) if lane.image == image]
        columns = zip(rows, solver.rule.areas[rows].tolist(), solver.rule.values[rows].tolist(), strict=True)
        found: dict[float, tuple[int, PartialPoint]] = {}
        for k, measured, value in columns:
            lane = solver.lanes[k]
            area = self._area(lane.area)
            point = PartialPoint.of(area, measured_area=measured * self._unit, objective=value, variant=lane.variant)
            if area not in found or value > found[area][1].objective:
                found[area] = k, point
        return [found[area] for area in sorted(found)]

    def _area(self, share: float) -> float:
        return share if self._unit == 1 else round(share * self._unit)
