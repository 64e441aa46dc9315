"""Spatial masks (sections 3 and 4): the scores of perturbed images, and the solver of such masks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from ep_core.masks.perturbation import Pyramids
from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.plateau import Plateau
from ep_core.optimiser.presets import SPATIAL_PRESETS
from ep_core.optimiser.solver import Solver
from ep_core.schemas.specs import Preset


def perturbed_scores(network: nn.Module, pyramids: Pyramids, masks: Tensor, images: Tensor) -> Tensor:
    """Return the scores ``Phi(m (x) x)`` of all classes, before the softmax.

    Args:
        network: N x 3 x H x W -> N x C.
        pyramids: the images' pyramids.
        masks: N x 1 x H x W in [0, 1].
        images: N indices into the pyramids.

    Returns:
        N x C, differentiable with respect to the masks.
    """
    scores: Tensor = network(pyramids.perturb(masks, images))
    return scores


def spatial_solver(
    network: nn.Module,
    pyramids: Pyramids,
    lanes: Sequence[Lane],
    preset: Preset,
    *,
    max_lanes: int | None = None,
) -> Solver:
    """Return a solver of spatial masks, at its start.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode and frozen.
        pyramids: the images' pyramids, on the network's device.
        lanes: at least one; a lane's parent is among them.
        preset: whose rule moves them.
        max_lanes: lanes stepped in one batch, at most. Halved where memory runs out.
    """
    how = SPATIAL_PRESETS[preset]
    rule = how.rule(lanes, pyramids.size, pyramids.rows.device)
    plateau = Plateau(lanes) if how.stops_early else None
    return Solver(rule, partial(perturbed_scores, network, pyramids), plateau=plateau, max_lanes=max_lanes)
