"""Solver: lanes with their rule's state, run to their ends by a runner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from ep_core.masks.scores import ClassScores
from ep_core.models.runtime.batching import max_lanes_on
from ep_core.optimiser.presets.rule import Rule

from .chunks import even_chunks
from .plateau import Plateau
from .work import Work


class Runner(Protocol):
    """Runs solvers to their ends: one by itself, or many in common batches."""

    @property
    def work(self) -> Work:
        """Steps that have been taken."""

    def tune(self, network: nn.Module, example: Tensor) -> nn.Module:
        """Return the network that solvers go through in place of another: see `ep_core.models.tuning.tune.tune`."""

    def run(self, solver: Solver) -> Iterator[int]:
        """Step a solver's lanes to their ends, yielding its `done` while they are stepped and at the end."""


class Solver:
    """Lanes of one network and size of mask, with their rule's state."""

    def __init__(
        self,
        rule: Rule,
        scores: ClassScores,
        *,
        plateau: Plateau | None = None,
        max_lanes: int | None = None,
    ) -> None:
        """Start all lanes.

        Args:
            rule: moves the lanes; there is at least one.
            scores: the network's scores of masks; `MaskedScores` where lanes of other solvers may share its batches.
            plateau: finds the lanes that may stop early; None: none.
            max_lanes: lanes stepped in one batch, at most.
        """
        self.rule = rule
        self.lanes = lanes = rule.lanes
        self.scores = scores
        self.taken = [0] * len(lanes)
        """Steps that each lane has behind it."""
        self.began_at: float | None = None
        """Time at which the first step began, in seconds since the epoch."""
        self.max_lanes = max_lanes or max_lanes_on(rule.device)
        self._plateau = plateau
        self._ends = [lane.end for lane in lanes]

    @property
    def total(self) -> int:
        """Steps of all lanes together, those saved by stopping early included."""
        return sum(lane.end for lane in self.lanes)

    @property
    def done(self) -> int:
        """Steps of all lanes together that are taken or saved."""
        return self.total - sum(end - taken for taken, end in zip(self.taken, self._ends, strict=True))

    def left(self, lane: int) -> int:
        """Return the steps that a lane has still to take, at most."""
        return self._ends[lane] - self.taken[lane]

    def lane_steps(self, image: int) -> int:
        """Return the steps that an image's lanes really took, all together."""
        return sum(taken for lane, taken in zip(self.lanes, self.taken, strict=True) if lane.image == image)

    def unfinished(self) -> list[int]:
        """Return the lanes that have not reached their ends."""
        return [k for k in range(len(self.lanes)) if self.left(k) > 0]

    def stepped(self, lanes: Sequence[int]) -> list[int]:
        """Count a step of some lanes; return those whose values `stop` has to look at."""
        for k in lanes:
            self.taken[k] += 1
        plateau = self._plateau
        return [] if plateau is None else [k for k in lanes if plateau.wants(k, self.taken[k])]

    def stop(self, lanes: Sequence[int], values: Sequence[float]) -> None:
        """End those of the lanes that stand on a plateau, now that their objectives have these values."""
        for k, value in zip(lanes, values, strict=True):
            if self._plateau is not None and self._plateau.reached(k, value):
                self._ends[k] = self.taken[k]

    def image_masks(self, image: int) -> Tensor:
        """Return the masks of an image's lanes, in their order: K x ... in [0, 1]."""
        rows = [k for k, lane in enumerate(self.lanes) if lane.image == image]
        return torch.cat([self.rule.masks(chunk) for chunk in even_chunks(rows, self.max_lanes)])
