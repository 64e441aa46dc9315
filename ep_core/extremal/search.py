"""Search for the masks of a sweep and for the further blocks of a result, in stages that share one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.lanes_seen import LanesSeen
from ep_core.optimiser.presets import SPATIAL_PRESETS, independent_lanes, iterations_of, refine
from ep_core.optimiser.presets.walk import LENGTH, WALKS
from ep_core.optimiser.solver import Solver
from ep_core.schemas.progress import Seen, SweepStage
from ep_core.schemas.specs import ExtremalSpec, SpatialSpec

from . import walks
from .masking import spatial_solver
from .preparation import Prepared, masked_images
from .refinement import lane, refinement
from .walks import SCALE, Survival, walked
from .watch import Watch

SEARCH_SETTINGS = (
    f"{WALKS} walks of {LENGTH:g} at {SCALE:.3f}, held for {refine.HOLD:g} at {refine.RefineRule.learning_rate:g}"
)
"""Settings that the masks of `fast` depend on besides what is asked; the logs of evaluations name them."""
ALTERNATIVE_WALKS = 4
"""Walks that look for an alternative: it need not be steady, only sufficient."""


@dataclass(frozen=True)
class SweepMasks:
    """Masks at the end of a search, not yet compared with any rival."""

    masks: Tensor
    """K x 1 x H x W in [0, 1], by increasing area."""
    steps: float
    """Steps that were taken, of all areas together; cheaper ones count as what they cost."""
    survival: Survival | None = None
    """Of the walks, where there were any."""


def by_walks(spec: SpatialSpec) -> bool:
    """Return whether the masks of a sweep start where walks agree; else each area has a lane by itself."""
    return SPATIAL_PRESETS[spec.preset].moves_starts and not spec.independent


def planned_steps(spec: ExtremalSpec) -> float:
    """Return how many steps a sweep takes, at most; rivals that must be refined are not foreseen."""
    areas, iterations = len(spec.areas), iterations_of(spec)
    if not by_walks(spec):
        return areas * iterations
    others = spec.alternatives if spec.variant != "delete" else 0
    walking = walks.planned_steps(areas, iterations)
    walking += others * walks.planned_steps(1, iterations, most=ALTERNATIVE_WALKS)
    return walking + (areas + others + spec.contrast) * refine.steps(iterations)


class Search:
    """Finds masks of images of one preset and frame size."""

    def __init__(self, network: nn.Module, watch: Watch, max_lanes: int | None) -> None:
        """Set the network and the batch size of the search.

        Args:
            network: N x 3 x H x W -> N x C, in evaluation mode and frozen.
            watch: reports the progress.
            max_lanes: lanes stepped in one batch, at most.
        """
        self._network = network
        self._watch = watch
        self._max_lanes = max_lanes

    def enter(self, stage: SweepStage) -> None:
        """Report that a stage begins."""
        self._watch.enter(stage)

    def masks(self, sweeps: Sequence[Prepared[ExtremalSpec]]) -> list[SweepMasks]:
        """Return the masks of each image's sweep, all images stepped together."""
        if by_walks(sweeps[0].spec):
            return self._by_walks(sweeps)
        images = masked_images(self._network, sweeps)
        lanes = [
            one for k, sweep in enumerate(sweeps) for one in independent_lanes(sweep.spec, image=k, target=sweep.target)
        ]
        solver = spatial_solver(self._network, images, lanes, sweeps[0].spec.preset, max_lanes=self._max_lanes)
        self.enter("masks")
        self._watch.follow(solver, LanesSeen(solver))
        return [SweepMasks(solver.image_masks(k), solver.lane_steps(k)) for k in range(len(sweeps))]

    def elsewhere(self, sweep: Prepared[ExtremalSpec], area: float) -> Tensor:
        """Return the mask of an area (1 x 1 x H x W) that few walks over what is left of an image lead to."""
        one = replace(sweep, spec=sweep.spec.model_copy(update={"areas": (area,)}))
        (found,) = self._by_walks([one], most=ALTERNATIVE_WALKS, shown=False)
        return found.masks

    def _by_walks(
        self, sweeps: Sequence[Prepared[ExtremalSpec]], *, most: int = WALKS, shown: bool = True
    ) -> list[SweepMasks]:
        """Return the masks that start where walks agree; `shown` while they are worked on."""

        def follow(solver: Solver, seen: Seen, cost: float = 1.0) -> None:
            self._watch.follow(solver, seen if shown else None, cost)

        if shown:
            self.enter("walks")
        survivals = walked(self._network, sweeps, max_lanes=self._max_lanes, follow=follow, most=most)
        images = masked_images(self._network, sweeps)
        lanes = [
            lane(sweep.spec, area, image=k, target=sweep.target)
            for k, sweep in enumerate(sweeps)
            for area in sweep.spec.areas
        ]
        starts = torch.cat([survival.maps for survival in survivals])
        solver = refinement(self._network, images, lanes, starts, max_lanes=self._max_lanes)
        if shown:
            self.enter("masks")
        follow(solver, LanesSeen(solver))
        return [
            SweepMasks(solver.image_masks(k), solver.lane_steps(k) + survival.steps, survival)
            for k, survival in enumerate(survivals)
        ]

    def of_areas(self, sweep: Prepared[SpatialSpec], areas: Sequence[float], starts: Tensor) -> Tensor:
        """Return masks of an image for N areas, moved from their starts (N x H x W): N x 1 x H x W."""
        lanes = [lane(sweep.spec, area, image=0, target=sweep.target) for area in areas]
        return self.refined(sweep, lanes, starts)

    def refined(self, sweep: Prepared[SpatialSpec], lanes: Sequence[Lane], starts: Tensor) -> Tensor:
        """Return the masks that lanes of one image end at: N x 1 x H x W.

        Args:
            sweep: the image.
            lanes: N.
            starts: N x H x W.
        """
        images = masked_images(self._network, [sweep])
        solver = refinement(self._network, images, lanes, starts, max_lanes=self._max_lanes)
        self._watch.follow(solver)
        return solver.image_masks(0)
