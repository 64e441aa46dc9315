"""The solver: steps any set of lanes in one batch, and runs all of them to their ends."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ep_core.masks.scores import ClassScores
from ep_core.models.runtime.batching import max_lanes_on
from ep_core.models.runtime.cuda_graph import Repeated
from ep_core.models.runtime.memory import free_memory, is_out_of_memory
from ep_core.optimiser.presets.rule import Batch, Rule

from .lanes import Objective
from .plateau import Plateau

log = logging.getLogger(__name__)


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
            scores: the network's scores of masks.
            plateau: finds the lanes that may stop early; None: none.
            max_lanes: lanes stepped in one batch, at most. Halved where memory runs out.
        """
        self.rule = rule
        self.lanes = lanes = rule.lanes
        self.taken = [0] * len(lanes)
        """Steps that each lane has behind it."""
        self.max_lanes = max_lanes or max_lanes_on(rule.device)
        self._scores = scores
        self._plateau = plateau
        self._steps: dict[tuple[int, ...], Repeated] = {}
        self._ends = [lane.end for lane in lanes]

    @property
    def total(self) -> int:
        """Steps of all lanes together, those saved by stopping early included."""
        return sum(lane.end for lane in self.lanes)

    @property
    def done(self) -> int:
        """Steps of all lanes together that are taken or saved."""
        return self.total - sum(end - taken for taken, end in zip(self.taken, self._ends, strict=True))

    def lane_steps(self, image: int) -> int:
        """Return the steps that an image's lanes really took, all together."""
        return sum(taken for lane, taken in zip(self.lanes, self.taken, strict=True) if lane.image == image)

    def unfinished(self) -> list[int]:
        """Return the lanes that have not reached their ends."""
        return [k for k, (taken, end) in enumerate(zip(self.taken, self._ends, strict=True)) if taken < end]

    def step(self, rows: Sequence[int]) -> None:
        """Advance the lanes `rows` (indices into `lanes`) by one step, in one batch."""
        key = tuple(rows)
        if key not in self._steps:
            self._steps[key] = self._repeated(key)
        with torch.enable_grad():
            self._steps[key]()
        for k in key:
            self.taken[k] += 1

    def run(self) -> Iterator[int]:
        """Step all lanes to their ends, yielding `done` after each round."""
        known: set[tuple[int, ...]] = set()
        while rows := self.unfinished():
            chunks = _even_chunks(rows, self.max_lanes)
            if set(chunks) != known:  # graphs and indices of batches that won't come again
                known = set(chunks)
                self._steps = {key: step for key, step in self._steps.items() if key in known}
            self._round(chunks)
            self._stop_early()
            yield self.done
        self._steps.clear()  # graphs hold all that a step takes, which the masks' scoring may need

    def image_masks(self, image: int) -> Tensor:
        """Return the masks of an image's lanes, in their order: K x ... in [0, 1]."""
        rows = [k for k, lane in enumerate(self.lanes) if lane.image == image]
        return torch.cat([self.rule.masks(chunk) for chunk in _even_chunks(rows, self.max_lanes)])

    def _objective(self, rows: Sequence[int]) -> Objective:
        return Objective(self._scores, [self.lanes[k] for k in rows], self.rule.device)

    def _round(self, chunks: Sequence[tuple[int, ...]]) -> None:
        """Step every chunk once; where memory runs out, in halves from then on."""
        for chunk in chunks:
            try:
                self.step(chunk)
            except Exception as error:
                if not is_out_of_memory(error) or len(chunk) == 1:
                    raise
                self.max_lanes = min(self.max_lanes, math.ceil(len(chunk) / 2))
                error.__traceback__ = None  # its frames hold the tensors of the failed step
            else:
                continue
            log.warning("out of memory: %d lanes in a batch from now on", self.max_lanes)
            self._steps.clear()
            free_memory()
            self._round(_even_chunks(chunk, self.max_lanes))

    def _repeated(self, rows: tuple[int, ...]) -> Repeated:
        batch = Batch(rows, torch.tensor(rows, device=self.rule.device), self._objective(rows))
        times = min(self._ends[k] - self.taken[k] for k in rows)
        return Repeated(lambda: self.rule.step(batch), self.rule.device, times=times)

    def _stop_early(self) -> None:
        if self._plateau is None:
            return
        rows = [k for k in self.unfinished() if self._plateau.wants(k, self.taken[k])]
        if rows:
            for k, value in zip(rows, self.rule.values[rows].tolist(), strict=True):
                if self._plateau.reached(k, value):
                    self._ends[k] = self.taken[k]


def _even_chunks(rows: Sequence[int], most: int) -> list[tuple[int, ...]]:
    """Return the rows in as few chunks of at most `most` as there can be, all about as long."""
    count = math.ceil(len(rows) / most)
    length = math.ceil(len(rows) / count)
    return [tuple(rows[start : start + length]) for start in range(0, len(rows), length)]
