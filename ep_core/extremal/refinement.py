"""Refinement of masks from given starts, at a fixed area."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from ep_core.masks.masked_images import MaskedImages
from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.plateau import Plateau
from ep_core.optimiser.presets import iterations_of, refine
from ep_core.optimiser.presets.refine import RefineRule
from ep_core.optimiser.solver import Solver
from ep_core.schemas.specs import SpatialSpec


def hold_of(spec: SpatialSpec) -> int:
    """Return the steps that a lane takes."""
    return refine.steps(iterations_of(spec))


def lane(spec: SpatialSpec, area: float, *, image: int, target: int, against: int | None = None) -> Lane:
    """Return the lane of a mask; with `against`, of what most lifts the target's score above that class's."""
    variant = spec.variant if against is None else "preserve"
    return Lane(image, target, area, variant, end=hold_of(spec), against=against)


def refinement(
    network: nn.Module, images: MaskedImages, lanes: Sequence[Lane], starts: Tensor, *, max_lanes: int | None
) -> Solver:
    """Return a solver of lanes at their starts.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode and frozen.
        images: what is masked, on the network's device.
        lanes: at least one.
        starts: lanes x H x W, any values: a mask starts as the top area of its map.
        max_lanes: lanes stepped in one batch, at most. Halved where memory runs out.
    """
    rule = RefineRule(lanes, images.size, images.device, starts, patches=images.lattice)
    scores = partial(images.scores, network)
    return Solver(rule, scores, plateau=Plateau(lanes), max_lanes=max_lanes)
