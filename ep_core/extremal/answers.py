"""Final masks of a sweep: the best known ones, their curve, and the further blocks of the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ep_core.masks.scores import ClassScores, masked_scores
from ep_core.optimiser.presets import SPATIAL_PRESETS
from ep_core.schemas.curve import optimal_area, reaches
from ep_core.schemas.reports.common import TargetRef
from ep_core.schemas.reports.extremal import Alternative, Contrast, CurvePoint, Stability
from ep_core.schemas.specs import ExtremalSpec

from . import alternatives as distinct
from .best import Best, beside_rivals
from .contrast import contrast_of, nearest_class
from .explanation import BlockMask
from .extremality import OWN, Rivals, beats, objective_at
from .preparation import Prepared
from .refinement import lane
from .search import Search, SweepMasks
from .stability import stability

CONTRAST_AREA = 0.2
"""Area of the contrast's mask where no area suffices: the sweep's nearest one is taken."""

ALTERNATIVE, CONTRAST = "alternative", "contrast"
"""Origins of a mask that the search for such a block led to."""


class Answers:
    """Masks of one image as they are returned, scored by the original network."""

    def __init__(
        self,
        search: Search,
        sweep: Prepared[ExtremalSpec],
        scores: ClassScores,
        found: SweepMasks,
        named: Callable[[int], TargetRef],
    ) -> None:
        """Score the masks of a sweep.

        Args:
            search: continues where more masks are needed.
            sweep: the image.
            scores: of the image under masks, by the network as it is.
            found: the sweep's masks.
            named: returns what a report says of a class.
        """
        self._search = search
        self._sweep = sweep
        self._scores = scores
        self._found = found
        self._named = named
        curve = sweep.curve(scores, found.masks)
        self.best = Best(found.masks, curve, (OWN,) * len(curve), sweep.spec.variant)

    @property
    def optimal(self) -> float | None:
        """a* (eq. 3)."""
        return optimal_area(self.best.curve, self._sweep.reference, self._sweep.spec.variant)

    def check_against(self, rivals: Rivals) -> None:
        """Compare the masks with rivals of their areas; where one beats a mask of `fast`, go on from there."""
        search = self._search if SPATIAL_PRESETS[self._sweep.spec.preset].moves_starts else None
        self.best = beside_rivals(self._sweep, self._scores, self.best.masks, self.best.curve, rivals, search)

    def stability(self) -> Stability | None:
        """Return the agreement of the walks; None where there were none."""
        if self._found.survival is None:
            return None
        return stability(
            self._found.survival,
            self._scores,
            self.best.curve,
            self._sweep.reference,
            target=self._sweep.target,
            variant=self._sweep.spec.variant,
            patches=self._sweep.patches,
        )

    def alternatives(self) -> tuple[BlockMask[Alternative], ...]:
        """Return other sufficient masks of the area a*, each distinct from those before it, as many as are found.

        One that beats the sweep's own mask changes places with it.
        """
        sweep, area = self._sweep, self.optimal
        if (
            self._found.survival is None
            or sweep.spec.variant == "delete"
            or area is None
            or area > distinct.LARGEST_ALTERNATIVE
        ):
            return ()
        self._search.enter("alternatives")
        place = sweep.spec.areas.index(area)
        known, points = self.best.masks[place : place + 1], [self.best.curve[place]]
        for _ in range(sweep.spec.alternatives):
            mask = self._search.elsewhere(distinct.without(sweep, known), area)
            (point,) = sweep.curve(self._scores, mask, [area])
            overlap = distinct.largest_overlap(mask, known)
            if not reaches(point, sweep.reference, sweep.spec.variant) or overlap >= distinct.MOST_OVERLAP:
                break
            better = self._take_if_better(place, mask, point, ALTERNATIVE)
            known = torch.cat([mask, known] if better else [known, mask])
            points = [point, *points] if better else [*points, point]
        return tuple(_alternative(known, points, k) for k in range(1, len(known)))

    def _take_if_better(self, place: int, mask: Tensor, point: CurvePoint, origin: str) -> bool:
        """Take a mask (1 x 1 x H x W) for the sweep's own of its area, if it beats that; return whether it does."""
        variant = self._sweep.spec.variant
        if not beats(objective_at(point, variant), objective_at(self.best.curve[place], variant)):
            return False
        self.best = self.best.taking(place, mask[0], point, origin)
        return True

    def contrast(self) -> BlockMask[Contrast] | None:
        """Return the mask that most lifts the target above its nearest rival class, of the area a*.

        One that beats the sweep's own mask of that area is taken for that, too.
        """
        sweep, survival = self._sweep, self._found.survival
        if survival is None or not sweep.spec.contrast:
            return None
        area = self.optimal or min(sweep.spec.areas, key=lambda one: abs(one - CONTRAST_AREA))
        place = sweep.spec.areas.index(area)
        (whole,) = masked_scores(self._scores, torch.ones_like(self.best.masks[:1]))
        if len(whole) < 2:
            return None
        self._search.enter("contrast")
        rival = nearest_class(whole, sweep.target)
        lanes = [lane(sweep.spec, area, image=0, target=sweep.target, against=rival)]
        mask = self._search.refined(sweep, lanes, survival.maps[place : place + 1])
        (point,) = sweep.curve(self._scores, mask, [area])
        self._take_if_better(place, mask, point, CONTRAST)
        (kept,) = masked_scores(self._scores, mask)
        report = contrast_of(
            whole,
            kept,
            mask,
            area=area,
            target=sweep.target,
            rival=rival,
            named=self._named(rival),
            predictions=point.predictions,
        )
        return BlockMask(mask[0].cpu(), report)


def _alternative(known: Tensor, points: Sequence[CurvePoint], k: int) -> BlockMask[Alternative]:
    """Return the k-th of N distinct masks (N x 1 x H x W) of an area as an alternative to those before it."""
    report = Alternative(
        area=points[k].area,
        measured_area=points[k].measured_area,
        preserve=points[k].preserve,
        delete=points[k].delete,
        overlap=distinct.largest_overlap(known[k : k + 1], known[:k]),
        predictions=points[k].predictions,
    )
    return BlockMask(known[k].cpu(), report)
