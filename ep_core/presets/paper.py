"""`preset: "paper"`: the optimisation of section 4, "Implementation details"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ep_core.area import area_pixels, ranked_area_loss
from ep_core.lanes import Lane
from ep_core.mask import MaskLattice

from .rule import Step

LAMBDA = 300.0  # doubled at 1/3 and at 2/3 of the iterations
MOMENTUM = 0.9
LEARNING_RATE = 0.003
"""The paper names none. Larger ones meet the area before the score had a say; docs/engine.md has the measurements."""


class PaperRule:
    """Maximise ``Phi - lambda R_a`` (eq. 4) by SGD with momentum, parameters clamped to [0, 1], from all ones."""

    ITERATIONS = 1600

    def __init__(self, lanes: Sequence[Lane], size: tuple[int, int], device: torch.device) -> None:
        """Start all lanes at all-ones parameters (everything preserved)."""
        self._lattice = MaskLattice(size, device=device)
        self._iterations = [lane.iterations for lane in lanes]
        self._ones = [area_pixels(lane.area, size[0] * size[1]) for lane in lanes]
        self._parameters = torch.ones(len(lanes), 1, *self._lattice.shape, device=device)
        self._velocity = torch.zeros_like(self._parameters)

    def step(self, rows: Sequence[int], taken: Sequence[int], objective: Callable[[Tensor], Tensor]) -> Step:
        """Move the lanes by one step of SGD."""
        index = torch.tensor(rows, device=self._parameters.device)
        parameters = self._parameters[index].requires_grad_()
        masks = self._lattice.smooth(parameters)
        values = objective(masks)
        weights = [area_weight(step, self._iterations[k]) for k, step in zip(rows, taken, strict=True)]
        penalties = torch.tensor(weights, device=masks.device) * ranked_area_loss(masks, [self._ones[k] for k in rows])
        (gradient,) = torch.autograd.grad((values - penalties).sum(), parameters)
        velocity = MOMENTUM * self._velocity[index] + gradient
        self._velocity[index] = velocity
        self._parameters[index] = (parameters.detach() + LEARNING_RATE * velocity).clamp_(0, 1)
        return Step(values.detach(), masks.detach().mean(dim=(1, 2, 3)))

    @torch.no_grad()
    def masks(self, rows: Sequence[int]) -> Tensor:
        """Return the masks after the last step."""
        return self._lattice.smooth(self._parameters[list(rows)])


def area_weight(step: int, iterations: int) -> float:
    """Return lambda at a step: 300, doubled at 1/3 and at 2/3 of the iterations."""
    return LAMBDA * 2 ** (int(3 * step >= iterations) + int(3 * step >= 2 * iterations))
