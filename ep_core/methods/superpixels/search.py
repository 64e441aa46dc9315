"""Maps from the order in which regions are added to an image: functions that the searches over superpixels share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest
from ep_core.methods.base.passes import batch_on, watched
from ep_core.models.tuning.tune import tune

from .segments import superpixels

REGIONS = 50
"""About how many superpixels (SLICO) there are: the authors' setting for ImageNet."""

SetFunction = Callable[[Tensor], Tensor]
"""Scores sets of regions: N x R, whether a set has a region -> N, on the CPU, above 0; higher is better."""

Search = Callable[[SetFunction, int, torch.Generator], Sequence[int]]
"""Orders R regions by a set function, the most important first; random numbers are the generator's."""


@torch.no_grad()
def rank_map(request: AttributionRequest, search: Search) -> Tensor:
    """Return each pixel's rank in the order that a search finds for each target: T x H x W in (0, 1], first is 1.

    The set function is ``p(target | S) + 1 - p(target | all but S)``, probabilities of images in which the
    other regions are 0, the normalisation's mean colour: as in LIME and RISE, and as deletion is scored; the authors
    take black. `samples` of the request, if given, has the image cut into so few regions R that ``R (R + 1)`` images,
    those of a whole greedy search, are about that many.

    Args:
        request: the image and the classes. Every target is searched by itself.
        search: the search.
    """
    segments = superpixels(request, regions_for(request.spec.samples), adaptive=True)
    regions = int(segments.max()) + 1
    passes = len(request.targets) * regions * (regions + 1)
    forward = request.probabilities_by(watched(request, passes, tune(request.network, request.x)))
    maps = []
    for target in request.targets:
        order = search(set_function(forward, request.x, segments, target), regions, request.generator(target))
        ranks = torch.empty(regions, device=request.device)
        ranks[list(order)] = torch.arange(regions, 0, -1, device=request.device) / regions
        maps.append(ranks[segments])
    return torch.stack(maps)


def regions_for(samples: int | None) -> int:
    """Return how many regions a greedy search orders with so many images, at most `REGIONS` and at least 2."""
    if samples is None:
        return REGIONS
    return max(2, min(REGIONS, (math.isqrt(1 + 4 * samples) - 1) // 2))


def set_function(forward: Callable[[Tensor], Tensor], x: Tensor, segments: Tensor, target: int) -> SetFunction:
    """Return the consistency and the collaboration of sets, summed: N x R -> N in (0, 2).

    Args:
        forward: N x 3 x H x W -> N x C, probabilities.
        x: 1 x 3 x H x W.
        segments: H x W, the number of each pixel's region.
        target: class index.
    """

    def score(sets: Tensor) -> Tensor:
        values = []
        for some in sets.to(x.device).split(max(1, batch_on(x.device) // 2)):
            masks = some[:, None, segments]
            shown, rest = forward(torch.cat([x * masks, x * ~masks]))[:, target].chunk(2)
            values.append((shown + 1 - rest).cpu())
        return torch.cat(values)

    return score


def with_each(chosen: Sequence[int], others: Sequence[int], regions: int) -> Tensor:
    """Return, for each of the other regions, the set of the chosen ones and that one: N x R booleans."""
    sets = torch.zeros(len(others), regions, dtype=torch.bool)
    sets[:, list(chosen)] = True
    sets[torch.arange(len(others)), list(others)] = True
    return sets
