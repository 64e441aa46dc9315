"""Interface of a preset: a rule that moves lanes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from ep_core.masks.layout import MaskLayout
from ep_core.optimiser.lanes import Lane


@dataclass
class Batch:
    """Lanes that are stepped together."""

    rows: Sequence[int]
    """Their rows in the rule's state."""
    index: Tensor
    """The same, on the device."""
    objective: Callable[[Tensor], Tensor]
    """Objective to maximise: K x ... masks -> K values."""


class Rule(ABC):
    """Holds the state of all lanes, one row each, and moves any set of them by one step.

    A step never waits for the host and makes no tensor from its numbers, so that a GPU can replay it as a graph:
    whatever changes from step to step, such as the lanes' own counters, lies on the device.
    """

    layout: ClassVar[MaskLayout]
    """Of its masks."""
    state: ClassVar[tuple[str, ...]] = ("taken", "values", "areas")
    """Names of the tensors that have a row for each lane."""

    def __init__(self, lanes: Sequence[Lane], device: torch.device) -> None:
        """Set the lanes; subclasses add their state, a row for each lane."""
        self.lanes = tuple(lanes)
        self.device = device
        self.taken = torch.zeros(len(lanes), device=device)
        """Steps that each lane has behind it."""
        self.values = torch.zeros(len(lanes), device=device)
        """Each lane's objective before its last step."""
        self.areas = torch.ones(len(lanes), device=device)
        """Means of the masks before the last step."""

    @property
    def kind(self) -> Hashable:
        """What rules have in common whose lanes can be stepped together."""
        return type(self), self.device, *(getattr(self, name).shape[1:] for name in self.state)

    def with_room(self, rows: int) -> Self:
        """Return a copy with so many rows: this one's lanes in the first ones, the others free."""
        copied = copy(self)
        for name in self.state:
            own = getattr(self, name)
            setattr(copied, name, torch.cat([own, own.new_zeros(rows - len(own), *own.shape[1:])]))
        return copied

    def take(self, other: Rule, theirs: Sequence[int], ours: Sequence[int]) -> None:
        """Copy the state of lanes of another rule of this `kind`: its rows `theirs` become the rows `ours`."""
        source, place = (torch.tensor(rows, device=self.device) for rows in (theirs, ours))
        for name in self.state:
            getattr(self, name).index_copy_(0, place, getattr(other, name).index_select(0, source))

    def baked(self, rows: Sequence[int]) -> Hashable:
        """Return what a step of these rows takes from the host: a graph of it holds for no other."""
        del rows
        return None

    @abstractmethod
    def step(self, batch: Batch) -> None:
        """Move the batch's lanes up their objective by one step; nothing has changed where it raises."""

    @abstractmethod
    def masks(self, rows: Sequence[int]) -> Tensor:
        """Return the lanes' masks as a user gets them: rows x ... in [0, 1]."""

    def previews(self, rows: Sequence[int]) -> Tensor:
        """Return the lanes' masks about as they are, for a look while they are worked on; cheap."""
        return self.masks(rows)

    def _per_lane(self, values: Sequence[float]) -> Tensor:
        """Return numbers of the lanes as lanes x 1 x 1 x 1."""
        return torch.tensor(values, dtype=torch.float32, device=self.device).view(-1, 1, 1, 1)
