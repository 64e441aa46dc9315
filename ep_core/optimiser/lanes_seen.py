"""Views of a solver's lanes while they are stepped."""

from __future__ import annotations

from torch import Tensor

from ep_core.masks.layout import MaskLayout
from ep_core.schemas.reports.extremal import PartialPoint

from .solver import Solver


class LanesSeen:
    """Views of a solver's lanes: for each area the one that scores best."""

    def __init__(self, solver: Solver, *, whole: int = 1) -> None:
        """Take note of a solver.

        Args:
            solver: what finds the masks.
            whole: the number that an area of 1 stands for: 1 for spatial masks, for channel masks the layer's channels.
        """
        self._solver = solver
        self._whole = whole

    def points(self, image: int) -> list[PartialPoint]:
        """Return the best score so far of each area, by increasing area."""
        return [point for _, point in self._best(image)]

    def previews(self, image: int) -> dict[float, Tensor]:
        """Return the best mask so far of each area: H x W in [0, 1]; nothing for channels."""
        if self._solver.rule.layout is MaskLayout.CHANNEL:
            return {}
        best = self._best(image)
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
            point = PartialPoint.of(area, measured_area=measured * self._whole, objective=value, variant=lane.variant)
            if area not in found or value > found[area][1].objective:
                found[area] = k, point
        return [found[area] for area in sorted(found)]

    def _area(self, share: float) -> float:
        """Return an area as it was asked for: a share of the frame, or a count of channels."""
        return round(share * self._whole) if self._solver.rule.layout is MaskLayout.CHANNEL else share
