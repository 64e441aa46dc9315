"""Lanes: mask optimisations that advance together.

A lane is one (image, target, area, variant) with its own parameters, optimiser state and step counter. A batch holds
any set of lanes of one network and frame size; no lane's computation depends on the others in its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ep_core.masks.scores import ClassScores
from ep_core.schemas.specs import Variant

_KEEPING: frozenset[Variant] = frozenset({"preserve", "hybrid"})
_DELETING: frozenset[Variant] = frozenset({"delete", "hybrid"})


@dataclass(frozen=True)
class Lane:
    """Definition of one lane: what it optimises, and in which steps."""

    image: int
    """Index of its image among the pyramids."""
    target: int
    """Class index."""
    area: float
    """Share of the frame, in (0, 1); of the channels, in (0, 1]."""
    variant: Variant
    end: int
    """The step at which it ends."""
    arrival: int = 0
    """The step from which it holds its area; before, its mask shrinks towards it. Only for rules that shrink masks."""
    seed: int = 0
    """Draws where it starts, if its rule draws anything."""
    against: int | None = None
    """Index of a rival class, whose score is subtracted from the target's; None for the target's score alone."""


class Layout(NamedTuple):
    """Part of lanes that decides which operations their objective takes."""

    kept: int
    """How many lanes keep."""
    deleted: int
    """How many lanes delete."""
    has_rivals: bool


def layout(lanes: Sequence[Lane]) -> Layout:
    """Return the layout of lanes."""
    kept, deleted = _rows(lanes)
    return Layout(len(kept), len(deleted), any(lane.against is not None for lane in lanes))


def _rows(lanes: Sequence[Lane]) -> tuple[list[int], list[int]]:
    """Return the indices of the lanes that keep, and of those that delete."""
    kept = [k for k, lane in enumerate(lanes) if lane.variant in _KEEPING]
    return kept, [k for k, lane in enumerate(lanes) if lane.variant in _DELETING]


def _columns(lanes: Sequence[Lane]) -> list[Tensor]:
    """Return, as an objective takes them: kept and deleted lanes; image, target, rival and its weight of each row."""
    kept, deleted = _rows(lanes)
    rows = [lanes[k] for k in kept + deleted]
    return [
        torch.tensor(kept, dtype=torch.long),
        torch.tensor(deleted, dtype=torch.long),
        torch.tensor([lane.image for lane in rows]),
        torch.tensor([[lane.target] for lane in rows]),
        torch.tensor([[lane.against or 0] for lane in rows]),
        torch.tensor([float(lane.against is not None) for lane in rows]),
    ]


class Objective:
    """Objective of a fixed set of lanes (3.2): Phi(m x), -Phi((1-m) x), or their sum, each lane its own.

    Phi is the target's score, less that of the class `against` where a lane names one.
    """

    def __init__(self, scores: ClassScores, lanes: Sequence[Lane], device: torch.device) -> None:
        """Lay out the network's batch: a row for each lane that keeps, then one for each that deletes."""
        self._class_scores = scores
        self._lanes = len(lanes)
        self._columns = [column.to(device) for column in _columns(lanes)]
        self._kept, self._deleted, self._image, self._target, self._rival, self._contrasted = self._columns
        self._has_rivals = layout(lanes).has_rivals

    def turn_to(self, lanes: Sequence[Lane]) -> None:
        """Turn to other lanes of the same `layout`; all tensors stay where they are, so that a graph stays valid."""
        for column, other in zip(self._columns, _columns(lanes), strict=True):
            column.copy_(other)

    def __call__(self, masks: Tensor) -> Tensor:
        """Return K values to be maximised, one per lane; masks are K x ..., in the lanes' order."""
        # No index comes twice: sums on a GPU would depend on who is first.
        rows = torch.cat([masks.index_select(0, self._kept), 1 - masks.index_select(0, self._deleted)])
        classes = self._scores(rows)
        scores = classes.gather(1, self._target)[:, 0]
        if self._has_rivals:
            scores = scores - self._contrasted * classes.gather(1, self._rival)[:, 0]
        keeping, deleting = scores.split([len(self._kept), len(self._deleted)])
        values = scores.new_zeros(self._lanes)
        return values.index_add(0, self._kept, keeping).index_add(0, self._deleted, -deleting)

    def _scores(self, rows: Tensor) -> Tensor:
        if len(rows) > 1 or rows.is_cuda:
            return self._class_scores(rows, self._image)
        # A CPU's libraries compute one image by other routines than several, and round differently: never one alone.
        return self._class_scores(rows.expand(2, -1, -1, -1), self._image.expand(2))[:1]
