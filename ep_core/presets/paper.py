"""`preset: "paper"`: the optimisation of section 4, "Implementation details"."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ep_core.area import area_pixels, ranked_area_loss
from ep_core.lanes import Lane
from ep_core.mask import MaskLattice
from ep_core.spec import Variant

from .rule import Batch, Rule

LAMBDA = 300.0  # doubled at 1/3 and at 2/3 of the iterations
MOMENTUM = 0.9
LEARNING_RATE = 0.003
"""The paper names none. Larger ones meet the area before the score had a say; docs/engine.md has the measurements."""


def plan(areas: Sequence[float], variant: Variant, iterations: int) -> list[Lane]:
    """Return a lane for each area, all independent (figure 5), of an image and a target yet to be named."""
    return [Lane(0, 0, area, variant, end=iterations) for area in areas]


class PaperRule(Rule):
    """Maximise ``Phi - lambda R_a`` (eq. 4) by SGD with momentum, parameters clamped to [0, 1], from all ones."""

    def __init__(self, lanes: Sequence[Lane], size: tuple[int, int], device: torch.device) -> None:
        """Start all lanes at all-ones parameters (everything preserved)."""
        super().__init__(lanes, device)
        self._lattice = MaskLattice(size, device=device)
        self._ends = torch.tensor([float(lane.end) for lane in lanes], device=device)
        self._ones = [area_pixels(lane.area, size[0] * size[1]) for lane in lanes]
        self._parameters = self._row(torch.ones(len(lanes), 1, *self._lattice.shape, device=device))
        self._velocity = self._row(torch.zeros_like(self._parameters))

    def step(self, batch: Batch) -> None:
        """Move the lanes by one step of SGD."""
        index = batch.index
        taken = self.taken[index]
        parameters = self._parameters[index].requires_grad_()
        masks = self._lattice.smooth(parameters)
        values = batch.objective(masks)
        penalties = area_weight(taken, self._ends[index]) * ranked_area_loss(masks, [self._ones[k] for k in batch.rows])
        (gradient,) = torch.autograd.grad((values - penalties).sum(), parameters)
        velocity = MOMENTUM * self._velocity[index] + gradient
        moved = (parameters.detach() + LEARNING_RATE * velocity).clamp_(0, 1)
        areas = masks.detach().mean(dim=(1, 2, 3))
        self._velocity.index_copy_(0, index, velocity)
        self._parameters.index_copy_(0, index, moved)
        self.values.index_copy_(0, index, values.detach())
        self.areas.index_copy_(0, index, areas)
        self.taken.index_copy_(0, index, taken + 1)

    @torch.no_grad()
    def masks(self, rows: Sequence[int]) -> Tensor:
        """Return the masks after the last step."""
        return self._lattice.smooth(self._parameters[list(rows)])


def area_weight(steps: Tensor, iterations: Tensor) -> Tensor:
    """Return lambda at each step of so many: 300, doubled at 1/3 and at 2/3 of the iterations."""
    return LAMBDA * 2 ** ((3 * steps >= iterations).float() + (3 * steps >= 2 * iterations).float())
