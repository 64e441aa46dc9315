"""Predictions of a result: the top classes of the image, without anything of it, and under each mask."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from ep_core import Explanation, compare, explain
from ep_core.masks.scores import score_curve
from ep_core.models import Classifier, Preprocessing
from ep_core.models.top_classes import predictions
from ep_core.schemas.reports.common import ClassScore
from ep_core.schemas.reports.extremal import ExtremalReport

from .conftest import SIDE, SPOTS, checkerboard

CHEAP = {"areas": (0.05, 0.2), "iterations": 4, "perturbation": "fade", "check_extremality": False}


@pytest.fixture
def image() -> Tensor:
    """Detail everywhere, twice as much in the lower right spot: 1 x 3 x H x W in [0, 1]."""
    strength = torch.full((SIDE, SIDE), 0.2)
    strength[SPOTS[1], SPOTS[1]] = 0.4
    return (0.5 + strength * checkerboard())[None]


@pytest.fixture
def found(spot_model: Classifier, image: Tensor) -> Explanation:
    return explain(spot_model, image, CHEAP)


def by_hand(image: Tensor) -> list[tuple[str, float, float]]:
    """Label, score and probability of both classes of `spot_model`, the best first: sums over the spots alone."""
    detail = (image[0] * checkerboard()).sum(dim=0) / 50
    scores = torch.stack([detail[where, where].sum() for where in SPOTS])
    named = zip(("upper left", "lower right"), scores.tolist(), scores.softmax(dim=0).tolist(), strict=True)
    return sorted(named, key=lambda one: one[1], reverse=True)


def agree(top: Sequence[ClassScore], expected: list[tuple[str, float, float]]) -> None:
    assert [one.label for one in top] == [label for label, _, _ in expected]
    assert [one.score for one in top] == pytest.approx([score for _, score, _ in expected], abs=1e-3)
    assert [one.probability for one in top] == pytest.approx([share for _, _, share in expected], abs=1e-4)


def test_they_are_what_the_network_says_of_each_masked_image(found: Explanation, image: Tensor) -> None:
    reference = found.scores.predictions
    assert reference is not None
    agree(reference.original, by_hand(image))
    agree(reference.perturbed, [("upper left", 0, 0.5), ("lower right", 0, 0.5)])  # equal ones in their order
    for point, mask in zip(found.curve, found.masks, strict=True):
        assert point.predictions is not None
        agree(point.predictions.preserve, by_hand(mask * image))
        agree(point.predictions.delete, by_hand((1 - mask) * image))
        assert point.predictions.preserve[0].label == "lower right"  # both masks are on its spot
        assert point.predictions.preserve[0].probability == point.preserve_probability
        target = next(one for one in point.predictions.delete if one.label == "lower right")
        assert target.probability == point.delete_probability


def test_the_blocks_have_their_own(found: Explanation, image: Tensor) -> None:
    assert found.contrast is not None
    assert found.contrast.report.predictions is not None
    agree(found.contrast.report.predictions.preserve, by_hand(found.contrast.mask * image))
    for one in found.alternatives:
        assert one.report.predictions is not None
        agree(one.report.predictions.preserve, by_hand(one.mask * image))


def test_they_are_of_the_passes_that_the_scores_take() -> None:
    asked: list[Tensor] = []

    def scores(masks: Tensor, _images: Tensor) -> Tensor:
        asked.append(masks)
        return torch.tensor([[1.0, 3, 2]]).expand(len(masks), -1) * masks.flatten(1).mean(dim=1, keepdim=True)

    def classes(found: Tensor) -> list[list[ClassScore]]:
        top = found.argmax(dim=1).tolist()
        return [
            [ClassScore(index=k, label=str(k), score=float(row[k]), probability=None)]
            for k, row in zip(top, found, strict=True)
        ]

    masks = torch.tensor([0.25, 0.5]).view(2, 1, 1, 1).expand(2, 1, 4, 4)
    curve = score_curve(scores, masks, 0, [0.25, 0.5], probabilities=lambda _: None, classes=classes)
    assert sum(map(len, asked)) == 4  # each mask kept, and taken away
    assert curve[0].predictions is not None
    assert (curve[0].preserve, curve[0].delete) == (0.25, 0.75)
    assert (curve[0].predictions.preserve[0].score, curve[0].predictions.delete[0].score) == (0.75, 2.25)


def test_five_at_most_and_the_first_of_equals_first() -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64, 7))
    model = Classifier(network, preprocessing=Preprocessing((8, 8)), labels=list("abcdefg"))
    (top,) = predictions(model, torch.tensor([[0.0, 2, 2, 5, -1, 1, 2]])) or ()
    assert "".join(one.label for one in top) == "dbcgf"
    assert sum(one.probability or 0 for one in top) < 1


def test_a_contrast_has_none(spot_model: Classifier, image: Tensor) -> None:
    found = explain(spot_model, image, {**CHEAP, "target": {"class": 1, "instead_of": 0}})
    assert found.scores.predictions is None
    assert {point.predictions for point in found.curve} == {None}


def test_a_comparison_has_none(spot_model: Classifier, image: Tensor) -> None:
    found = compare(spot_model, image, {"methods": ("gradient", "extremal"), "areas": (0.1,), "iterations": 2})
    points = [point for one in found.report().methods for point in one.curve]
    assert {point.predictions for point in points} == {None}


def test_results_from_before_are_read(found: Explanation) -> None:
    old = found.report().model_dump(mode="json")
    del old["scores"]["predictions"]
    for point in (*old["curve"], *old["alternatives"], old["contrast"]):
        point.pop("delete_probability", None)
        del point["predictions"]
    again = ExtremalReport.model_validate(old)
    assert again.scores.predictions is again.curve[0].predictions is again.curve[0].delete_probability is None
