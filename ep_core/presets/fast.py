"""`preset: "fast"`: masks that hold their area exactly while it shrinks, moved by Adam. Ours, not the paper's.

The lattice parameters are ``sigmoid(beta (theta + b))``. The shift b holds the mask's area at a schedule a(t) that
falls from nearly 1 to the wanted area over the first part of the run, so that the score decides what goes first: a
mask that starts small sees nothing but blur. The slope beta rises over the run and makes the mask binary.

With the area held, no weight lambda is needed: a step moves along the constraint, its gradient being
``g - a' (sum g) / (sum a')``, where a' is the gradient of the area (the implicit derivative of b).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ep_core.lanes import Lane
from ep_core.mask import MaskLattice

from .rule import Step

SHRINKING = 0.7  # share of the run during which the area shrinks
LARGEST_AREA = 0.98  # what smooth masks can hold
SLOPES = (1.0, 4.0)
LEARNING_RATE = 0.1
BETAS = (0.9, 0.99)
SAMPLES = 2  # per lattice step: a quarter of the cost of all pixels, and smooth enough to interpolate
FIRST_SHIFT = 4.0  # sigmoid(4) = 0.98
MOST_SHIFT = 0.5  # per step, where the area's slope is too flat to trust
BISECTIONS = 32


class FastRule:
    """Maximise the objective on masks of exactly the scheduled area."""

    ITERATIONS = 100

    def __init__(self, lanes: Sequence[Lane], size: tuple[int, int], device: torch.device) -> None:
        """Start all lanes at nearly everything preserved."""
        self._lattice = MaskLattice(size, samples=SAMPLES, device=device)
        self._lanes = lanes
        self._pixels = size[0] * size[1]
        shape = (len(lanes), 1, *self._lattice.shape)
        self._theta = torch.zeros(shape, device=device)
        self._first_moment = torch.zeros(shape, device=device)
        self._second_moment = torch.zeros(shape, device=device)
        self._shift = torch.full((len(lanes), 1, 1, 1), FIRST_SHIFT, device=device)

    def step(self, rows: Sequence[int], taken: Sequence[int], objective: Callable[[Tensor], Tensor]) -> Step:
        """Move the lanes by one step of Adam, then the shift by one step of Newton towards the next area."""
        index = torch.tensor(rows, device=self._theta.device)
        slope = self._scheduled(_slope_at, rows, taken)
        theta, shift = self._theta[index], self._shift[index]
        parameters = torch.sigmoid(slope * (theta + shift)).requires_grad_()
        masks = self._lattice.smooth(parameters)
        values = objective(masks)
        inner = slope * (parameters * (1 - parameters)).detach()
        gradient = inner * torch.autograd.grad(values.sum(), parameters, retain_graph=True)[0]
        area_gradient = inner * torch.autograd.grad(masks.sum(), parameters)[0] / self._pixels
        area_slope = _total(area_gradient).clamp_min(1e-9)
        gradient -= area_gradient * _total(gradient) / area_slope

        move = self._adam(index, gradient, [step + 1 for step in taken])
        areas = masks.detach().mean(dim=(1, 2, 3), keepdim=True)
        excess = areas + _total(area_gradient * move) - self._scheduled(_area_at, rows, [step + 1 for step in taken])
        self._theta[index] = theta + move
        self._shift[index] = shift - (excess / area_slope).clamp_(-MOST_SHIFT, MOST_SHIFT)
        return Step(values.detach(), areas.flatten())

    @torch.no_grad()
    def masks(self, rows: Sequence[int]) -> Tensor:
        """Return the masks at exactly the lanes' areas, the shift found by bisection.

        Above about 0.98 a lane gets the most that smooth masks hold: all ones, smoothed, are not quite 1 (eq. 7).
        """
        theta, middle = self._theta[list(rows)], self._shift[list(rows)]
        wanted = torch.tensor([self._lanes[k].area for k in rows], device=theta.device).view(-1, 1, 1, 1)
        reach = theta.abs().amax(dim=(1, 2, 3), keepdim=True) + middle.abs() + 16
        low, high = -reach, reach
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            too_large = self._masks_at(theta + middle).mean(dim=(1, 2, 3), keepdim=True) > wanted
            low, high = torch.where(too_large, low, middle), torch.where(too_large, middle, high)
        return self._masks_at(theta + middle)

    def _masks_at(self, logits: Tensor) -> Tensor:
        return self._lattice.smooth(torch.sigmoid(SLOPES[1] * logits))

    def _scheduled(self, schedule: Callable[[Lane, int], float], rows: Sequence[int], steps: Sequence[int]) -> Tensor:
        values = [schedule(self._lanes[k], step) for k, step in zip(rows, steps, strict=True)]
        return torch.tensor(values, device=self._theta.device).view(-1, 1, 1, 1)

    def _adam(self, index: Tensor, gradient: Tensor, steps: Sequence[int]) -> Tensor:
        """Return the move of Adam uphill, every lane at its own step."""
        first = BETAS[0] * self._first_moment[index] + (1 - BETAS[0]) * gradient
        second = BETAS[1] * self._second_moment[index] + (1 - BETAS[1]) * gradient.square()
        self._first_moment[index], self._second_moment[index] = first, second
        bias = [
            torch.tensor([1 - beta**step for step in steps], device=index.device).view(-1, 1, 1, 1) for beta in BETAS
        ]
        return LEARNING_RATE * (first / bias[0]) / ((second / bias[1]).sqrt() + 1e-8)


def _area_at(lane: Lane, step: int) -> float:
    """Return the area held at a step: a geometric fall from 1 to the lane's area, then constant."""
    return min(LARGEST_AREA, lane.area ** min(1.0, step / (SHRINKING * lane.iterations)))


def _slope_at(lane: Lane, step: int) -> float:
    """Return beta at a step: a geometric rise."""
    return SLOPES[0] * (SLOPES[1] / SLOPES[0]) ** (step / lane.iterations)


def _total(per_cell: Tensor) -> Tensor:
    return per_cell.sum(dim=(1, 2, 3), keepdim=True)
