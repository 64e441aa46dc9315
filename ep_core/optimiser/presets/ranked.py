"""The paper's optimisation, of masks of any kind: ``Phi - lambda R_a`` (eq. 4 and 9) by SGD with momentum."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import ClassVar, Self

import torch
from torch import Tensor

from ep_core.masks.area import area_pixels, ranked_area_loss
from ep_core.optimiser.lanes import Lane

from .rule import Batch, Rule

MOMENTUM = 0.9


class RankedRule(Rule):
    """Maximise ``Phi - lambda R_a``, parameters clamped to [0, 1], from all ones (everything preserved)."""

    state = (*Rule.state, "_ends", "_parameters", "_velocity")
    learning_rate: ClassVar[float]

    def __init__(self, lanes: Sequence[Lane], shape: tuple[int, ...], pixels: int, device: torch.device) -> None:
        """Start all lanes.

        Args:
            lanes: what is optimised.
            shape: of a lane's parameters.
            pixels: how many values a mask has.
            device: where all of it lives.
        """
        super().__init__(lanes, device)
        self._ends = torch.tensor([float(lane.end) for lane in lanes], device=device)
        self._ones = [area_pixels(lane.area, pixels) for lane in lanes]
        self._parameters = torch.ones(len(lanes), *shape, device=device)
        self._velocity = torch.zeros_like(self._parameters)

    def with_room(self, rows: int) -> Self:
        """As for `Rule`."""
        copied = super().with_room(rows)
        copied._ones = self._ones + [0] * (rows - len(self._ones))
        return copied

    def take(self, other: Rule, theirs: Sequence[int], ours: Sequence[int]) -> None:
        """As for `Rule`."""
        super().take(other, theirs, ours)
        if isinstance(other, RankedRule):
            for source, place in zip(theirs, ours, strict=True):
                self._ones[place] = other._ones[source]

    def baked(self, rows: Sequence[int]) -> Hashable:
        """Return how many values each mask keeps."""
        return tuple(self._ones[k] for k in rows)

    @abstractmethod
    def masks_of(self, parameters: Tensor) -> Tensor:
        """Return the masks that parameters (lanes x ...) mean."""

    @abstractmethod
    def area_weight(self, steps: Tensor, iterations: Tensor) -> Tensor:
        """Return lambda at each step of so many."""

    def step(self, batch: Batch) -> None:
        """Move the lanes by one step of SGD."""
        index = batch.index
        taken = self.taken[index]
        parameters = self._parameters[index].requires_grad_()
        masks = self.masks_of(parameters)
        values = batch.objective(masks)
        weight = self.area_weight(taken, self._ends[index])
        penalties = weight * ranked_area_loss(masks, [self._ones[k] for k in batch.rows])
        (gradient,) = torch.autograd.grad((values - penalties).sum(), parameters)
        velocity = MOMENTUM * self._velocity[index] + gradient
        moved = (parameters.detach() + self.learning_rate * velocity).clamp_(0, 1)
        areas = masks.detach().flatten(1).mean(dim=1)
        self._velocity.index_copy_(0, index, velocity)
        self._parameters.index_copy_(0, index, moved)
        self.values.index_copy_(0, index, values.detach())
        self.areas.index_copy_(0, index, areas)
        self.taken.index_copy_(0, index, taken + 1)

    @torch.no_grad()
    def masks(self, rows: Sequence[int]) -> Tensor:
        """Return the masks after the last step."""
        return self.masks_of(self._parameters[list(rows)])
