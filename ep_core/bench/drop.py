"""Benchmark of a step under the perturbation `drop` against one under `blur`, by the area of the masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ep_core.extremal.extremality import random_maps
from ep_core.extremal.refinement import refinement
from ep_core.masks.dropping import TokenImages
from ep_core.masks.perturbation import BLUR_SIGMA_AT_224, Pyramids, blur_pyramid
from ep_core.models.runtime.backend_flags import random_numbers
from ep_core.models.sources.interface import missing_extra
from ep_core.models.tokens.find import require_site
from ep_core.models.tuning.tune import tune
from ep_core.optimiser.lanes import Lane

from .step import step_of
from .timing import WARM_UP, median_seconds

SIDE = 224
VIT_SMALL: dict[str, Any] = {"embed_dim": 384, "depth": 12, "num_heads": 6, "img_size": SIDE, "patch_size": 16}


@dataclass(frozen=True)
class StepCost:
    """Median seconds of a step of masks of an area."""

    area: float
    blur: float
    drop: float

    @property
    def ratio(self) -> float:
        """Steps under `drop` in the time of one under `blur`."""
        return self.blur / self.drop


def vit_small() -> nn.Module:
    """Return a ViT-S/16 of random weights at 224 x 224, frozen: N x 3 x 224 x 224 -> N x 1000.

    Raises:
        ModelUnavailable: timm isn't installed.
    """
    try:
        from timm.models import VisionTransformer
    except ImportError as error:
        raise missing_extra("timm", "networks of this benchmark") from error
    with random_numbers:
        network: nn.Module = VisionTransformer(**VIT_SMALL)
    return network.eval().requires_grad_(False)


def step_costs(
    network: nn.Module, areas: Sequence[float], *, lanes: int, rounds: int, device: torch.device, side: int = SIDE
) -> list[StepCost]:
    """Return what a step costs, by area.

    Args:
        network: N x 3 x S x S -> N x C, frozen, whose tokens can be left out.
        areas: shares of the image.
        lanes: masks in a batch, all of one area.
        rounds: timed, of which the median counts.
        device: of the network.
        side: S.
    """
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0)).to(device)
    pyramid = blur_pyramid(x, sigma_max=BLUR_SIGMA_AT_224 * side / 224, levels=8)
    tuned, blurred = tune(network, pyramid[[0, -1]]), Pyramids(pyramid[None])
    tokens = TokenImages(network, require_site(network, (side, side), model="the network"), x)
    starts = random_maps((side, side), count=lanes, seed=0).to(device)
    costs = []
    for area in areas:
        held = [Lane(0, 0, area, "preserve", end=10 * (WARM_UP + rounds))] * lanes
        sides = {
            "blur": step_of(refinement(tuned, blurred, held, starts, max_lanes=lanes)),
            "drop": step_of(refinement(network, tokens, held, starts, max_lanes=lanes)),
        }
        costs.append(StepCost(area, **median_seconds(sides, rounds=rounds, device=device)))
    return costs
