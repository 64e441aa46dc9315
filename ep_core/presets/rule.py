"""What a preset is to the solver: a rule that moves lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Step:
    """What lanes were worth before they moved; tensors on the lanes' device, so that nobody waits for them."""

    values: Tensor
    """K values of the objective."""
    areas: Tensor
    """K means of the masks."""


class Rule(Protocol):
    """Holds the state of all lanes, one row each, and moves any set of them by one step."""

    def step(self, rows: Sequence[int], taken: Sequence[int], objective: Callable[[Tensor], Tensor]) -> Step:
        """Move the lanes `rows`, which have taken `taken` steps each, up their objective."""

    def masks(self, rows: Sequence[int]) -> Tensor:
        """Return the lanes' masks as a user gets them: rows x 1 x H x W in [0, 1]."""
