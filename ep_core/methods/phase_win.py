"""PhaseWin: a search over superpixels that rescores only a few of them at each step."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.superpixels.search import REGIONS, SetFunction, rank_map, with_each

WINDOW = 0.3  # of the regions; this and what follows are the defaults of the authors' code
PRUNED_BELOW = 0.05
CANDIDATE_FROM = 0.6
ACCEPTED_FROM = 0.99
FALL_FASTER = 0.02
FALL_AT_MOST = 0.98
DEFERRED = 0.5
"""Probability of deferring a region, once; the authors' annealed one, which is this at their threshold."""


def phase_win_order(score: SetFunction, regions: int, generator: torch.Generator) -> list[int]:
    """Return the regions in the order in which PhaseWin takes them.

    A phase scores all regions that are left, takes the best, and scores the others anew: those below a share of the
    best value are put last, and those near it become candidates. A window of the candidates alone is scored again and
    again, and all that are about as good as its best are taken, until the value falls faster than before, or the
    window is empty. "Value" is that of the set with the region, as in the authors' code.

    Args:
        score: the set function.
        regions: R, how many there are.
        generator: draws the regions that are deferred.
    """
    search = _Search(score, regions, generator)
    left = list(range(regions))
    pruned: list[int] = []
    while left:
        values = search.values(left)
        best = int(values.argmax())
        search.take(left.pop(best))
        if left:
            left = search.phase(left, float(values[best]), pruned)
    worst_last = search.values(pruned).argsort(descending=True, stable=True).tolist()
    return search.order + [pruned[k] for k in worst_last]


class _Search:
    """The regions taken so far."""

    def __init__(self, score: SetFunction, regions: int, generator: torch.Generator) -> None:
        self.order: list[int] = []
        self._score = score
        self._regions = regions
        self._generator = generator
        self._window = max(1, math.floor(WINDOW * regions))

    def values(self, others: list[int]) -> Tensor:
        """Return the values of the regions taken with each of the others; empty where there are none."""
        return self._score(with_each(self.order, others, self._regions)) if others else torch.empty(0)

    def take(self, region: int) -> None:
        """Take a region."""
        self.order.append(region)

    def phase(self, left: list[int], first: float, pruned: list[int]) -> list[int]:
        """Take the regions of a phase, of which `first` is the first one's value, and return those still left.

        Those whose value is too low are moved to `pruned`.
        """
        values = self.values(left)
        top = float(values.max())
        ranked = [(left[k], float(values[k])) for k in values.argsort(descending=True, stable=True).tolist()]
        pruned += [region for region, value in ranked if value < PRUNED_BELOW * top]
        waiting = deque(region for region, value in ranked if value >= CANDIDATE_FROM * top)
        between = [region for region, value in ranked if PRUNED_BELOW * top <= value < CANDIDATE_FROM * top]
        window = [waiting.popleft() for _ in range(min(self._window, len(waiting)))]
        fall = _Fall(first)
        deferred: set[int] = set()
        while window and not fall.over:
            window = self._take_best(window, CANDIDATE_FROM * top, fall)
            if not fall.over:
                window += self._refill(self._window - len(window), waiting, deferred)
        return [*window, *waiting, *between]

    def _refill(self, places: int, waiting: deque[int], deferred: set[int]) -> Iterator[int]:
        while places and waiting:
            region = waiting.popleft()
            if region not in deferred and float(torch.rand((), generator=self._generator)) < DEFERRED:
                deferred.add(region)
                waiting.append(region)
            else:
                places -= 1
                yield region

    def _take_best(self, window: list[int], least: float, fall: _Fall) -> list[int]:
        """Take what is about as good as the window's best, until the fall is over, and return the rest."""
        values = self.values(window).tolist()
        cut = max(least, ACCEPTED_FROM * max(values))
        fall.over = cut > max(values)
        rest = []
        for region, value in zip(window, values, strict=True):
            if value >= cut and not fall.over and fall.accepts(value):
                self.take(region)
            else:
                rest.append(region)
        return rest


class _Fall:
    """Fall of the values of the regions taken in a phase, which is over when they fall faster than before."""

    def __init__(self, first: float) -> None:
        self.over = False
        self._before: float | None = None
        self._last = first

    def accepts(self, value: float) -> bool:
        """Return whether a region of this value is still taken."""
        if self._before is not None and self._last / value - self._before / self._last > FALL_FASTER:
            self.over = True
            if value < FALL_AT_MOST * self._last:
                return False
        self._before, self._last = self._last, value
        return True


def _attribute(request: AttributionRequest) -> Tensor:
    """Return each pixel's rank in the order of PhaseWin, T x H x W in (0, 1] (`rank_map`)."""
    return rank_map(request, phase_win_order)


METHOD = Method(
    title="PhaseWin",
    about="A search over patches as the greedy one, with fewer trials.",
    source="Gu et al., PhaseWin Search Framework Enable Efficient Object-Level Interpretation, 2025",
    attribute=_attribute,
    random=True,
    passes=REGIONS * (REGIONS + 1) // 2,
)
