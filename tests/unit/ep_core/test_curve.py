"""a* (eq. 3) and monotonicity (eq. 8) on hand-made curves."""

from __future__ import annotations

import pytest

from ep_core.schemas.curve import is_monotonic, optimal_area
from ep_core.schemas.reports.common import Scores
from ep_core.schemas.reports.extremal import CurvePoint


def curve(*points: tuple[float, float, float]) -> list[CurvePoint]:
    """Points of (area, preserve, delete)."""
    return [
        CurvePoint(area=a, measured_area=a, preserve=p, delete=d, preserve_probability=0.5, binariness=0)
        for a, p, d in points
    ]


def scores(threshold: float) -> Scores:
    return Scores(original=10, perturbed=1, threshold=threshold, original_probability=0.9)


SWEEP = curve((0.05, 4, 9), (0.1, 8, 5), (0.2, 12, 1), (0.4, 11, 0.5))


@pytest.mark.parametrize(("threshold", "area"), [(10, 0.2), (12, 0.2), (8, 0.1), (3, 0.05), (12.5, None)])
@pytest.mark.parametrize("variant", ["preserve", "hybrid"])
def test_optimal_area_is_the_smallest_that_reaches_the_threshold(
    threshold: float, area: float | None, variant: str
) -> None:
    assert optimal_area(SWEEP, scores(threshold), variant) == area


@pytest.mark.parametrize(("perturbed", "area"), [(1, 0.2), (5, 0.1), (0.1, None)])
def test_optimal_area_of_a_deletion_brings_the_score_down(perturbed: float, area: float | None) -> None:
    assert optimal_area(SWEEP, scores(perturbed), "delete") == area


def test_monotonic_looks_only_below_the_optimal_area() -> None:
    assert is_monotonic(SWEEP, 0.2, "preserve")
    assert is_monotonic(SWEEP, 0.4, "preserve")  # 12 at 0.2, and 11 at 0.4 isn't below it
    assert not is_monotonic(SWEEP, None, "preserve")


def test_monotonic_deletion_falls() -> None:
    assert is_monotonic(SWEEP, None, "delete")
    assert not is_monotonic(curve((0.1, 0, 3), (0.2, 0, 4)), None, "delete")


def test_a_single_point_is_monotonic() -> None:
    assert is_monotonic(curve((0.1, 1, 1)), None, "preserve")
