"""A sweep's masks as a result has them: the best known ones, their curve, and the blocks beside it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ep_core.curve import masked_scores, optimal_area, score_curve
from ep_core.explanation import BlockMask
from ep_core.extremality import Rivals
from ep_core.lanes import ClassScores
from ep_core.prepared import Prepared
from ep_core.report import Alternative, Contrast, CurvePoint, Extremality, Scores, Stability, TargetRef
from ep_core.spec import ExtremalSpec

from . import alternatives as distinct
from .best import beside_rivals
from .contrast import contrast_of, nearest_class
from .refinement import lane
from .search import Search, SweepMasks
from .stability import stability

CONTRAST_AREA = 0.2
"""Area of the contrast's mask where no area suffices: the sweep's nearest one is taken."""


class Answers:
    """The masks of one image as they are handed out, scored by the network as it is."""

    def __init__(
        self,
        search: Search,
        sweep: Prepared[ExtremalSpec],
        scores: ClassScores,
        found: SweepMasks,
        labels: Sequence[str],
    ) -> None:
        """Score the masks of a sweep.

        Args:
            search: goes on searching where more masks are needed.
            sweep: the image.
            scores: of the image under masks, by the network as it is.
            found: the sweep's masks.
            labels: of the classes.
        """
        self._search = search
        self._sweep = sweep
        self._scores = scores
        self._found = found
        self._labels = labels
        self.masks = found.masks
        self.extremality: Extremality | None = None
        self.reference: Scores = sweep.reference(scores)
        self.curve: list[CurvePoint] = sweep.curve(scores, self.masks)

    @property
    def optimal(self) -> float | None:
        """a* (eq. 3)."""
        return optimal_area(self.curve, self.reference, self._sweep.spec.variant)

    def compare(self, rivals: Rivals) -> None:
        """Compare the masks with rivals of their areas; where one beats a mask of `fast`, go on from there."""
        search = self._search if self._sweep.spec.preset == "fast" else None
        best = beside_rivals(self._sweep, self._scores, self.masks, self.curve, rivals, search)
        self.masks, self.curve, self.extremality = best.masks, best.curve, best.extremality

    def stability(self) -> Stability | None:
        """Return how far the walks agree; None where there were none."""
        if self._found.survival is None:
            return None
        return stability(
            self._found.survival,
            self._scores,
            self.curve,
            self.reference,
            target=self._sweep.target,
            variant=self._sweep.spec.variant,
        )

    def alternatives(self) -> tuple[BlockMask[Alternative], ...]:
        """Return other sufficient masks of the area a*, each distinct from those before it, as many as are found."""
        sweep, area = self._sweep, self.optimal
        if (
            self._found.survival is None
            or sweep.spec.variant == "delete"
            or area is None
            or area > distinct.LARGEST_AREA
        ):
            return ()
        place = sweep.spec.areas.index(area)
        known = self.masks[place : place + 1]
        found: list[BlockMask[Alternative]] = []
        for _ in range(sweep.spec.alternatives):
            mask = self._search.elsewhere(sweep, area, distinct.without(sweep.pyramid, known))
            report = self._alternative(mask, known, area)
            if report is None:
                break
            found.append(BlockMask(mask[0].cpu(), report))
            known = torch.cat([known, mask])
        return tuple(found)

    def _alternative(self, mask: Tensor, known: Tensor, area: float) -> Alternative | None:
        """Return what a mask (1 x 1 x H x W) says, scored on the image itself; None where it's no answer of its own."""
        (point,) = score_curve(self._scores, mask, self._sweep.target, [area])
        overlap = distinct.largest_overlap(mask, known)
        if point.preserve < self.reference.threshold or overlap >= distinct.MOST_OVERLAP:
            return None
        return Alternative(
            area=area,
            measured_area=point.measured_area,
            preserve=point.preserve,
            delete=point.delete,
            overlap=overlap,
        )

    def contrast(self) -> BlockMask[Contrast] | None:
        """Return the mask that most lifts the target above its nearest rival class, of the area a*."""
        sweep, survival = self._sweep, self._found.survival
        if survival is None or not sweep.spec.contrast or len(self._labels) < 2:
            return None
        area = self.optimal or min(sweep.spec.areas, key=lambda one: abs(one - CONTRAST_AREA))
        place = sweep.spec.areas.index(area)
        (whole,) = masked_scores(self._scores, torch.ones_like(self.masks[:1]))
        rival = nearest_class(whole, sweep.target)
        lanes = [lane(sweep.spec, area, image=0, target=sweep.target, against=rival)]
        mask = self._search.refined(sweep.pyramid, lanes, survival.maps[place : place + 1])
        (kept,) = masked_scores(self._scores, mask)
        named = TargetRef(index=rival, label=self._labels[rival])
        report = contrast_of(whole, kept, mask, area=area, target=sweep.target, rival=named)
        return BlockMask(mask[0].cpu(), report)
