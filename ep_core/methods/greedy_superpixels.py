"""Greedy search over superpixels: in each step the region that raises the class's score most."""

from __future__ import annotations

import torch
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.superpixels.search import REGIONS, SetFunction, rank_map, with_each


def greedy_order(score: SetFunction, regions: int, _generator: torch.Generator) -> list[int]:
    """Return the regions in the order in which a greedy search takes them (algorithm 1), the whole image at the end.

    Args:
        score: the set function; sets of ``R (R + 1) / 2 - 1`` are scored: what comes last is known.
        regions: R, how many there are.
    """
    order: list[int] = []
    left = list(range(regions))
    while len(left) > 1:
        order.append(left.pop(int(score(with_each(order, left, regions)).argmax())))
    return order + left


def _attribute(request: AttributionRequest) -> Tensor:
    """Return each pixel's rank in the greedy order, T x H x W in (0, 1] (`rank_map`).

    Of the paper's set function (eq. 9) the consistency and the collaboration score are taken, with the weights 1 and 1
    of its authors' later code for ImageNet. The confidence score needs an evidential network of its own, and the
    effectiveness score a layer of features, which not every network has: both are left out, as in that code.
    """
    return rank_map(request, greedy_order)


METHOD = Method(
    title="Greedy superpixels",
    about="Patches, one after another: always the one that raises the score most.",
    source="Chen et al., Less is More: Fewer Interpretable Region via Submodular Subset Selection, ICLR 2024",
    attribute=_attribute,
    passes=REGIONS * (REGIONS + 1),
)
