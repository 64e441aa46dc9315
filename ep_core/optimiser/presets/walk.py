"""Walks: masks that shrink from the whole image to the smallest area, and the time that each part of it survives.

A walk's end depends on where it starts; the mean of many walks hardly does. So walks are many, short and, where the
network allows, at a lower resolution, and none of their masks is an answer: the parts of the image that survive in most
of them are where the masks of a sweep start (`presets.refine`).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.masks.patches import PatchLattice
from ep_core.optimiser.lanes import Lane
from ep_core.schemas.specs import Variant

from .fast import FastRule

WALKS = 32
FEWEST = 2  # so that there are two halves to compare
LENGTH = 0.16  # times the iterations per area: the steps of a walk


def walk_length(iterations: int) -> int:
    """Return the steps of a walk, of so many iterations per area."""
    return max(1, round(LENGTH * iterations))


def walk_count(areas: int, iterations: int, *, hold: int, cost: float = 1.0, most: int = WALKS) -> int:
    """Return the number of walks of an image.

    Args:
        areas: of the sweep, how many.
        iterations: steps per area, at most: a sweep of one area has fewer walks.
        hold: steps per area that refinement takes.
        cost: of a walk's step, as a share of one of refinement.
        most: walks.
    """
    affordable = int(areas * (iterations - hold) / (walk_length(iterations) * cost))
    return min(most, max(FEWEST, affordable))


def walk_lanes(
    areas: Sequence[float],
    variant: Variant,
    iterations: int,
    *,
    image: int,
    target: int,
    seed: int,
    hold: int,
    cost: float = 1.0,
    most: int = WALKS,
) -> list[Lane]:
    """Return the walks of an image.

    Args:
        areas: of the sweep, in increasing order; walks end at the smallest.
        variant: what the walks optimise.
        iterations, hold, cost, most: as for `walk_count`.
        image: index of the image among the pyramids.
        target: class index.
        seed: tells where the walks start.
    """
    length = walk_length(iterations)
    return [
        Lane(image, target, areas[0], variant, end=length, arrival=length, seed=(WALKS * seed + walk) % 2**63)
        for walk in range(walk_count(len(areas), iterations, hold=hold, cost=cost, most=most))
    ]


class WalkRule(FastRule):
    """Maximise the objective while the area falls geometrically, and remember the masks of every step.

    Attributes:
        trail: lanes x steps x h x w, each mask's means over the lattice's cells; steps not taken are zeros.
        trail_areas: lanes x steps, the means of the masks.
        trail_values: lanes x steps, what their objective was.
    """

    state = (*FastRule.state, "trail", "trail_areas", "trail_values")

    def __init__(
        self,
        lanes: Sequence[Lane],
        size: tuple[int, int],
        device: torch.device,
        *,
        step: Fraction | None = None,
        patches: PatchLattice | None = None,
    ) -> None:
        """Start all lanes at nearly everything preserved, with parameters drawn by their seeds; see `FastRule`."""
        super().__init__(lanes, size, device, step=step, patches=patches)
        steps = max(lane.end for lane in lanes)
        self.trail = torch.zeros(len(lanes), steps, *self._lattice.shape, device=device)
        self.trail_areas = torch.zeros(len(lanes), steps, device=device)
        self.trail_values = torch.zeros(len(lanes), steps, device=device)

    def _area_at(self, index: Tensor, step: Tensor) -> Tensor:
        """Return the area held at a step: it falls by the same factor in each."""
        fallen = torch.exp(torch.log(self._area[index]) * (step / self._arrival[index]))
        return fallen.clamp_max_(self._largest)

    def _look(self, index: Tensor, masks: Tensor, values: Tensor) -> None:
        places = (index, self.taken[index].long() - 1)
        cells = interpolate(masks, size=self._lattice.shape, mode="area")
        self.trail.index_put_(places, cells[:, 0])
        self.trail_areas.index_put_(places, masks.sum(dim=3).sum(dim=2)[:, 0] / self._pixels)
        self.trail_values.index_put_(places, values)


NEAR = (0.8, 3.0)
"""Times an area: the steps of a walk whose masks show where a mask of that area should be."""
OVERALL = 0.1  # weight of the walk's other steps, which tell the rest of the image apart


def survival(trail: Tensor, areas_seen: Tensor, area: float) -> Tensor:
    """Return how long each cell survives around an area: the mean mask near it, and a tenth of that of all steps.

    Args:
        trail: walks x steps x h x w in [0, 1].
        areas_seen: walks x steps, the masks' areas.
        area: of the mask that is to be found.

    Returns:
        h x w, in [0, 1 + `OVERALL`].
    """
    near = ((areas_seen >= NEAR[0] * area) & (areas_seen <= NEAR[1] * area)).to(trail)
    overall = trail.flatten(0, 1).mean(dim=0)
    if not near.any():
        return (1 + OVERALL) * overall
    weights = (near / near.sum()).flatten()
    return torch.einsum("s,shw->hw", weights, trail.flatten(0, 1)) + OVERALL * overall
