"""The solver: steps any set of lanes in one batch, and runs all of them to their ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from .lanes import Lane, Objective
from .perturbation import Pyramids
from .presets import RULES, Rule
from .spec import Preset

MAX_LANES = 16
"""Lanes stepped in one batch, above which they are stepped in turn, so that memory stays bounded."""


class Solver:
    """Lanes of one network and frame size, with their rule's state."""

    def __init__(self, network: nn.Module, pyramids: Pyramids, lanes: Sequence[Lane], preset: Preset) -> None:
        """Start all lanes.

        Args:
            network: N x 3 x H x W -> N x C, in evaluation mode and frozen.
            pyramids: the images' pyramids, on the network's device.
            lanes: at least one.
            preset: whose rule moves them.
        """
        self.lanes = tuple(lanes)
        self.taken = [0] * len(lanes)
        device = pyramids.rows.device
        self.values = torch.zeros(len(lanes), device=device)
        """What each lane's objective was before its last step."""
        self.areas = torch.ones(len(lanes), device=device)
        """Means of the masks before the last step."""
        self._network = network
        self._pyramids = pyramids
        self._rule: Rule = RULES[preset](self.lanes, pyramids.size, device)
        self._objectives: dict[tuple[int, ...], Objective] = {}

    def step(self, rows: Sequence[int]) -> None:
        """Advance the lanes `rows` (indices into `lanes`) by one step, in one batch."""
        taken = [self.taken[k] for k in rows]
        with torch.enable_grad():
            moved = self._rule.step(rows, taken, self._objective(tuple(rows)))
        self.values[list(rows)], self.areas[list(rows)] = moved.values, moved.areas
        for k in rows:
            self.taken[k] += 1

    def run(self) -> Iterator[int]:
        """Step all lanes to their ends, yielding the number of rounds done after each one."""
        rounds = 0
        while unfinished := [k for k, lane in enumerate(self.lanes) if self.taken[k] < lane.iterations]:
            for start in range(0, len(unfinished), MAX_LANES):
                self.step(unfinished[start : start + MAX_LANES])
            rounds += 1
            yield rounds

    def masks(self) -> Tensor:
        """Return the masks as they are now: lanes x 1 x H x W in [0, 1]."""
        rows = range(len(self.lanes))
        chunks = [rows[start : start + MAX_LANES] for start in range(0, len(rows), MAX_LANES)]
        return torch.cat([self._rule.masks(chunk) for chunk in chunks])

    def _objective(self, rows: tuple[int, ...]) -> Objective:
        if rows not in self._objectives:
            lanes = [self.lanes[k] for k in rows]
            self._objectives[rows] = Objective(self._network, self._pyramids, lanes, self.values.device)
        return self._objectives[rows]
