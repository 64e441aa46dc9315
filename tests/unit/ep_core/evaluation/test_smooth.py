"""The operators of figure 4, against loops."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ep_core.evaluation.smooth import BOXES, convolution, max_convolution, smax_convolution, smooth
from ep_core.masks.smooth_maximum import RADIUS

MASK = torch.rand(20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
POINTS = torch.arange(0, 19.01, 0.25, dtype=torch.float64)


def neighbours(u: float) -> list[tuple[float, float]]:
    """Return kernel and mask at the samples within the radius."""
    return [
        (math.exp(-(max(0.0, abs(u - v) - 1) ** 2) / 4), value)
        for v, value in enumerate(MASK.tolist())
        if abs(u - v) <= RADIUS
    ]


def slow_smax(u: float, sharpness: float) -> float:
    values = [k * m for k, m in neighbours(u)]
    weights = [math.exp(sharpness * value) for value in values]
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)


def same(fast: Tensor, slow: list[float]) -> bool:
    return torch.allclose(fast, torch.tensor(slow, dtype=torch.float64), atol=1e-12)


def test_operators_are_those_of_equations_5_to_7() -> None:
    points = POINTS.tolist()
    assert same(
        convolution(MASK, POINTS),
        [sum(k * m for k, m in neighbours(u)) / sum(k for k, _ in neighbours(u)) for u in points],
    )
    assert same(max_convolution(MASK, POINTS), [max(k * m for k, m in neighbours(u)) for u in points])
    for sharpness in (1.0, 20.0):
        fast = smax_convolution(MASK, POINTS, sharpness=sharpness)
        assert same(fast, [slow_smax(u, sharpness) for u in points])


def test_the_smooth_maximum_goes_from_the_mean_to_the_maximum() -> None:
    cold = smax_convolution(MASK, POINTS, sharpness=500)
    assert torch.allclose(cold, max_convolution(MASK, POINTS), atol=5e-3)
    hot = smax_convolution(MASK, POINTS, sharpness=1e-6)
    means = [sum(k * m for k, m in neighbours(u)) / len(neighbours(u)) for u in POINTS.tolist()]
    assert torch.allclose(hot, torch.tensor(means, dtype=torch.float64), atol=1e-5)


def test_max_convolution_is_at_least_the_mask_and_at_most_1() -> None:  # Lemma 1
    found = max_convolution(MASK, torch.arange(20, dtype=torch.float64))
    assert (found >= MASK).all()
    assert (found <= 1).all()


def test_report_shows_that_convolution_dampens_and_the_maximum_does_not(tmp_path: Path) -> None:
    report = smooth(out=tmp_path)
    (table,) = report.tables
    by_name = {str(row[0]): row[1:] for row in table.rows}
    assert by_name["max-convolution (eq. 6)"] == by_name["mask"] == [height for _, _, height in BOXES.values()]
    narrow, *_, wide = by_name["convolution (eq. 5)"]
    assert float(narrow or 0) < 0.3  # type: ignore[arg-type]
    assert wide == pytest.approx(1)
    assert (tmp_path / report.figures[0].file).read_text().startswith("<?xml")
