"""Score curve of a sweep: the smallest area that suffices (eq. 3), and monotonicity (eq. 8). Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from .reports.common import Scores
from .specs import Variant

N = TypeVar("N", int, float)
N_co = TypeVar("N_co", bound=float, covariant=True)


class Point(Protocol[N_co]):
    """A point of a curve: over shares of an image, or over counts of channels."""

    @property
    def area(self) -> N_co:
        """Requested area."""

    @property
    def preserve(self) -> float:
        """The score when only the mask is kept."""

    @property
    def delete(self) -> float:
        """The score when the mask is removed."""


def optimal_area(curve: Sequence[Point[N]], scores: Scores, variant: Variant) -> N | None:
    """Return a* (eq. 3): the smallest area of the sweep whose mask reaches the threshold, or None where none does."""
    return min((point.area for point in curve if reaches(point, scores, variant)), default=None)


def reaches(point: Point[Any], scores: Scores, variant: Variant) -> bool:
    """Return whether a mask reaches the threshold; for deletion, whether the score falls to it without the mask."""
    if scores.threshold is None:
        return False
    return point.delete <= scores.threshold if variant == "delete" else point.preserve >= scores.threshold


def is_monotonic(curve: Sequence[Point[Any]], optimal: float | None, variant: Variant) -> bool:
    """Return whether eq. 8 holds below a* (everywhere, where there is none): more area never scores less.

    For deletion: taking more away never scores more.
    """
    below = sorted((point for point in curve if optimal is None or point.area < optimal), key=lambda point: point.area)
    values = [-point.delete if variant == "delete" else point.preserve for point in below]
    return all(smaller <= larger for smaller, larger in pairwise(values))
