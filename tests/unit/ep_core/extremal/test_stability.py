"""Stability of an answer, from the two halves of its walks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from PIL import Image
from torch import Tensor

from ep_core import CurvePoint, ExtremalSpec, explain
from ep_core.extremal.stability import overlaps, rank_correlation, stability
from ep_core.extremal.walks import Survival
from ep_core.models import Classifier
from ep_core.schemas.reports.common import Scores


def test_overlap_is_intersection_over_union() -> None:
    first, second = torch.zeros(3, 1, 4, 4), torch.zeros(3, 1, 4, 4)
    first[0, 0, :2] = 1  # 8 pixels
    second[0, 0, 1:3] = 1  # 8, 4 of them shared
    first[1] = second[1] = 0.6
    assert overlaps(first, second) == [4 / 12, 1.0, 1.0]  # two empty masks are equal
    assert overlaps(first, 1 - first) == [0.0, 0.0, 0.0]


def test_rank_correlation_by_hand() -> None:
    first, second = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[10.0, 30.0], [20.0, 99.0]])
    assert rank_correlation(first, second) == pytest.approx(1 - 6 * 2 / (4 * 15))  # 1 - 6 sum d^2 / (n (n^2 - 1))
    assert rank_correlation(first, -first) == pytest.approx(-1)


def test_halves_that_differ_make_a_range_of_optimal_areas() -> None:
    """Scores are the mask's mean over the left half: the first half of the walks is right, the second is not."""
    left = torch.zeros(70, 70)
    left[:, :35] = 1

    def scores(masks: Tensor, _: Tensor) -> Tensor:
        return (masks[:, 0] * left).mean(dim=(1, 2))[:, None]

    ramp = torch.linspace(1, 0, 70).expand(70, 70)
    halves = torch.stack([ramp.expand(2, -1, -1), ramp.flip(1).expand(2, -1, -1)])
    survival = Survival(maps=halves.mean(dim=0), halves=halves, walks=6, steps=1)
    curve = [point(0.1, 0.1), point(0.3, 0.3)]
    reference = Scores(original=0.2, perturbed=0, threshold=0.19, original_probability=1)
    found = stability(survival, scores, curve, reference, target=0, variant="preserve")
    assert [one.agreement for one in found.points] == [0, 0]
    assert [one.spread for one in found.points] == pytest.approx([0.1, 0.3], abs=0.01)
    assert found.optimal_areas == (0.1, None)  # 0.1 + 0.1 reaches 0.19, 0.3 - 0.3 does not
    assert found.saliency_correlation == pytest.approx(-1, abs=0.05)
    assert found.walks == 6
    same = Survival(maps=halves[0], halves=halves[[0, 0]], walks=6, steps=1)
    steady = stability(same, scores, curve, reference, target=0, variant="preserve")
    assert [(one.agreement, one.spread) for one in steady.points] == [(1, 0), (1, 0)]
    assert steady.optimal_areas == (0.3, 0.3)


def test_every_sweep_says_how_far_it_varies(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    found = explain(mobilenet, sample("pizza"), ExtremalSpec(areas=(0.2, 0.6), iterations=10).masks_only())
    assert found.stability is not None
    assert [one.area for one in found.stability.points] == [0.2, 0.6]
    assert all(0 < one.agreement <= 1 and one.spread >= 0 for one in found.stability.points)
    assert found.stability.saliency_correlation > 0.3
    assert found.report().stability == found.stability


def point(area: float, preserve: float) -> CurvePoint:
    return CurvePoint(area=area, measured_area=area, preserve=preserve, delete=0, preserve_probability=1, binariness=0)
