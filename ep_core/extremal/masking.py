"""Solver of spatial masks (sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import nn

from ep_core.masks.masked_images import MaskedImages
from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.plateau import Plateau
from ep_core.optimiser.presets import SPATIAL_PRESETS
from ep_core.optimiser.solver import Solver
from ep_core.schemas.specs import Preset


def spatial_solver(
    network: nn.Module,
    images: MaskedImages,
    lanes: Sequence[Lane],
    preset: Preset,
    *,
    max_lanes: int | None = None,
) -> Solver:
    """Return a solver of spatial masks, at its start.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode and frozen.
        images: what is masked, on the network's device.
        lanes: at least one; a lane's parent is among them.
        preset: whose rule moves them.
        max_lanes: lanes stepped in one batch, at most. Halved where memory runs out.
    """
    how = SPATIAL_PRESETS[preset]
    rule = how.rule(lanes, images.size, images.device, patches=images.lattice)
    plateau = Plateau(lanes) if how.stops_early else None
    return Solver(rule, partial(images.scores, network), plateau=plateau, max_lanes=max_lanes)
