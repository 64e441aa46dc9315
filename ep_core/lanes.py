"""Lanes: independent mask optimisations that advance together.

A lane is one (image, target, area, variant) with its own parameters, optimiser state and step counter. A batch holds
any set of lanes of one network and frame size; nothing a lane computes depends on who shares its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .perturbation import Pyramids
from .spec import Variant

# What a lane puts through the network (section 3.2): (sign of the score, whether the mask is complemented).
_TERMS: dict[Variant, list[tuple[float, bool]]] = {
    "preserve": [(1.0, False)],
    "delete": [(-1.0, True)],
    "hybrid": [(1.0, False), (-1.0, True)],
}


@dataclass(frozen=True)
class Lane:
    """What one lane optimises."""

    image: int
    """Index of its image among the pyramids."""
    target: int
    """Class index."""
    area: float
    """Share of the frame, in (0, 1)."""
    variant: Variant
    iterations: int
    """Steps from start to end."""


def class_scores(network: nn.Module, pyramids: Pyramids, masks: Tensor, images: Tensor) -> Tensor:
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


class Objective:
    """What a fixed set of lanes maximises (3.2): Phi(m x), -Phi((1-m) x), or their sum, each lane its own."""

    def __init__(self, network: nn.Module, pyramids: Pyramids, lanes: Sequence[Lane], device: torch.device) -> None:
        """Lay out the network's batch: one row per lane, two for a hybrid."""
        terms = [(k, sign, flip) for k, lane in enumerate(lanes) for sign, flip in _TERMS[lane.variant]]
        self._network = network
        self._pyramids = pyramids
        self._lanes = len(lanes)
        self._lane = torch.tensor([k for k, _, _ in terms], device=device)
        self._image = torch.tensor([lanes[k].image for k, _, _ in terms], device=device)
        self._target = torch.tensor([[lanes[k].target] for k, _, _ in terms], device=device)
        self._sign = torch.tensor([sign for _, sign, _ in terms], device=device)
        self._offset = torch.tensor([float(flip) for _, _, flip in terms], device=device).view(-1, 1, 1, 1)

    def __call__(self, masks: Tensor) -> Tensor:
        """Return K values to be maximised, one per lane; masks are K x 1 x H x W, in the lanes' order."""
        # The sign serves twice: a complemented mask, 1 - m, is also what is to score low.
        rows = self._offset + self._sign.view(-1, 1, 1, 1) * masks[self._lane]
        scores = class_scores(self._network, self._pyramids, rows, self._image).gather(1, self._target)[:, 0]
        return scores.new_zeros(self._lanes).index_add(0, self._lane, self._sign * scores)
