"""Starts of a sweep's masks: the regions that survive in many short walks from the whole image to the smallest area."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ep_core.masks.cells import lattice_step
from ep_core.masks.perturbation import gaussian_blur
from ep_core.models.runtime.memory import is_out_of_memory
from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.presets import iterations_of, refine, walk
from ep_core.optimiser.presets.walk import WalkRule, survival
from ep_core.optimiser.solver import Solver
from ep_core.schemas.reports.extremal import PartialPoint
from ep_core.schemas.specs import SpatialSpec

from .preparation import Prepared, masked_images

SCALE = 4 / 7
"""Of the frame's sides, for walks: a third of the pixels. Fewer cost score; more leave time for fewer walks."""
SMALLEST_SIDE = 112  # of the scaled frame: smaller ones cost little as they are
DROPPED = 0.4
"""Share of its patches that a walk goes through the network with, where patches are dropped, over all of its steps."""
LEAST_CONTRAST = 0.5
"""Of the target's score between image and perturbed image, that must be left in the scaled frame."""
PASSED = 1.25  # times an area: from there on, walks show what a mask of it is about to be
SMOOTHING = 8 / 224  # sigma of the Gaussian that smooths a survival map, as a share of the frame's shorter side

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Survival:
    """Maps of what survives in the walks of an image, around each area of its sweep."""

    maps: Tensor
    """K x H x W: the higher, the longer a pixel survives."""
    halves: Tensor
    """2 x K x H x W: the same of every other walk, and of those in between."""
    walks: int
    steps: float
    """Steps of all walks, in steps of refinement that cost as much."""


@dataclass(frozen=True)
class _Walking:
    """An image as it is walked on."""

    place: int
    """Index of its sweep."""
    sweep: Prepared[SpatialSpec]
    pyramid: Tensor
    """levels x 3 x h x w, of the frame or scaled."""

    @property
    def cost(self) -> float:
        """A step's cost, as a share of a step in the frame."""
        if self.sweep.site is not None:
            return DROPPED
        return self.pyramid[0, 0].numel() / self.sweep.pyramid[0, 0].numel()


class WalksSeen:
    """Views of the walks: for each area that they have passed or are on their way to, their mean mask near it."""

    def __init__(self, rule: WalkRule, sweeps: dict[int, Prepared[SpatialSpec]]) -> None:
        """Set the walks' rule, and the sweep of each of its images."""
        self._rule = rule
        self._sweeps = sweeps

    def points(self, image: int) -> list[PartialPoint]:
        """Return the walks' mean score at each such area, by increasing area."""
        rule, rows = self._rule, self._rows(image)
        seen, values = rule.trail_areas[rows].mean(dim=0).tolist(), rule.trail_values[rows].mean(dim=0).tolist()
        return [
            PartialPoint.of(
                area, measured_area=seen[step], objective=values[step], variant=self._sweeps[image].spec.variant
            )
            for area, step in self._passed(image)
        ]

    def previews(self, image: int) -> dict[float, Tensor]:
        """Return the walks' mean mask at each such area: H x W in [0, 1]."""
        passed = self._passed(image)
        if not passed:
            return {}
        means = self._rule.trail[self._rows(image)].mean(dim=0)[[step for _, step in passed]]
        size = self._sweeps[image].pyramid.shape[2:]
        shown = interpolate(means[:, None], size=size, mode="bilinear")[:, 0]
        return {area: mask for (area, _), mask in zip(passed, shown, strict=True)}

    def _rows(self, image: int) -> list[int]:
        return [k for k, lane in enumerate(self._rule.lanes) if lane.image == image]

    def _passed(self, image: int) -> list[tuple[float, int]]:
        """Return the areas that the walks have come to, each with its nearest step, and the next one with the last."""
        if image not in self._sweeps:
            return []
        rows = self._rows(image)
        seen = self._rule.trail_areas[rows].mean(dim=0)[: int(self._rule.taken[rows].min())].tolist()
        steps = {area: _nearest(seen, area) for area in self._sweeps[image].spec.areas}
        next_one = max((area for area, step in steps.items() if step is None), default=None)
        if next_one is not None and seen:
            steps[next_one] = len(seen) - 1
        return [(area, step) for area, step in steps.items() if step is not None]


def _nearest(seen: Sequence[float], area: float) -> int | None:
    """Return the step at which a falling area was nearest to one, as a ratio; None where it isn't there yet."""
    if not seen or seen[-1] > PASSED * area:
        return None
    return min(range(len(seen)), key=lambda step: abs(math.log(seen[step] / area)))


Follow = Callable[[Solver, WalksSeen, float], None]
"""Runs a solver to its end, reporting its masks; a step counts as the given number of steps."""


def walked(
    network: nn.Module,
    sweeps: Sequence[Prepared[SpatialSpec]],
    *,
    max_lanes: int | None,
    follow: Follow,
    most: int = walk.WALKS,
) -> list[Survival]:
    """Return where the masks of each image start.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode and frozen.
        sweeps: images of one frame size and number of levels.
        max_lanes: lanes stepped in one batch, at most.
        follow: runs the walks.
        most: walks of an image, at most.
    """
    walking = [_walking(network, place, sweep) for place, sweep in enumerate(sweeps)]
    found: dict[int, Survival] = {}
    for scaled in (True, False):
        alike = [one for one in walking if (one.cost < 1) == scaled]
        if alike:
            found |= _survivals(network, alike, max_lanes, follow, most)
    return [found[place] for place in range(len(sweeps))]


def planned_steps(areas: int, iterations: int, *, most: int = walk.WALKS) -> float:
    """Return about how many steps the walks of a sweep of so many areas count as."""
    walks = walk.walk_count(areas, iterations, hold=refine.steps(iterations), cost=SCALE**2, most=most)
    return walks * walk.walk_length(iterations) * SCALE**2


def _lanes(spec: SpatialSpec, *, image: int, target: int, cost: float, most: int) -> list[Lane]:
    iterations = iterations_of(spec)
    hold = refine.steps(iterations)
    return walk.walk_lanes(
        spec.areas,
        spec.variant,
        iterations,
        image=image,
        target=target,
        seed=spec.seed,
        hold=hold,
        cost=cost,
        most=most,
    )


@torch.no_grad()
def _walking(network: nn.Module, place: int, sweep: Prepared[SpatialSpec]) -> _Walking:
    """Return an image as it is walked on: scaled, where the network takes it so and still sees the target."""
    whole = _Walking(place, sweep, sweep.pyramid)
    if sweep.site is not None:
        return whole
    size = [round(SCALE * side) for side in sweep.pyramid.shape[2:]]
    if min(size) < SMALLEST_SIDE:
        return whole
    pyramid = interpolate(sweep.pyramid, size=size, mode="bilinear", antialias=True)
    try:
        kept = _contrast(network(pyramid[[0, -1]]), sweep.target)
    except Exception as error:  # a network of one size
        if is_out_of_memory(error):
            raise
        log.info("walks are not scaled: %s: %s", type(error).__name__, error)
        return whole
    if not kept >= LEAST_CONTRAST * _contrast(network(sweep.pyramid[[0, -1]]), sweep.target):
        return whole
    return _Walking(place, sweep, pyramid)


def _contrast(scores: Tensor, target: int) -> float:
    """Return how much higher the image scores than the perturbed one."""
    return float(scores[0, target] - scores[1, target])


def _survivals(
    network: nn.Module, walking: Sequence[_Walking], max_lanes: int | None, follow: Follow, most: int
) -> dict[int, Survival]:
    lanes = [
        lane
        for row, one in enumerate(walking)
        for lane in _lanes(one.sweep.spec, image=row, target=one.sweep.target, cost=one.cost, most=most)
    ]
    images = masked_images(network, [replace(one.sweep, pyramid=one.pyramid) for one in walking])
    step = lattice_step(walking[0].sweep.size)  # the frame's, also where the walks are scaled: they need fewer cells
    rule = WalkRule(lanes, images.size, images.device, step=step, patches=images.lattice)
    solver = Solver(rule, partial(images.scores, network), max_lanes=max_lanes)
    follow(solver, WalksSeen(rule, {row: one.sweep for row, one in enumerate(walking)}), walking[0].cost)
    return {one.place: _survival(rule, row, one) for row, one in enumerate(walking)}


@torch.no_grad()
def _survival(rule: WalkRule, image: int, one: _Walking) -> Survival:
    rows = [k for k, lane in enumerate(rule.lanes) if lane.image == image]
    size = one.sweep.size
    areas = one.sweep.spec.areas
    return Survival(
        maps=_maps(rule, rows, areas, size),
        halves=torch.stack([_maps(rule, rows[half::2], areas, size) for half in (0, 1)]),
        walks=len(rows),
        steps=sum(rule.lanes[k].end for k in rows) * one.cost,
    )


def _maps(rule: WalkRule, rows: Sequence[int], areas: Iterable[float], size: tuple[int, int]) -> Tensor:
    """Return the survival of each area in the frame's pixels, smoothed: K x H x W."""
    trail, seen = rule.trail[rows], rule.trail_areas[rows]
    cells = torch.stack([survival(trail, seen, area) for area in areas])
    maps = interpolate(cells[:, None], size=size, mode="bilinear")
    return gaussian_blur(maps, SMOOTHING * min(size))[:, 0]
