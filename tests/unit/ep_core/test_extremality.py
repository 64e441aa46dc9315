"""A mask that a rival of its area beats is not extremal, and the result says so."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor

from ep_core import Classifier, CurvePoint, ExtremalSpec, explain
from ep_core.extremal.extremality import (
    RANDOM,
    TOLERANCE,
    Rivals,
    beats,
    check_extremality,
    objective_values,
    random_maps,
    rivals_of,
)
from ep_core.extremal.top_area import top_area_masks
from ep_core.masks.perturbation import Pyramids

from .conftest import SIDE, SPOTS, checkerboard

AREAS = (0.05, 0.1)


def test_rank_counts_the_rivals_that_score_higher() -> None:
    scores = {"a": [3.0, 1.0], "b": [2.0, 9.0], RANDOM: [0.0, 5.0]}  # of two areas
    values = torch.tensor(list(scores.values()))
    rivals = Rivals((*scores,), values.view(3, 2, 1, 1, 1))
    found = check_extremality([point(0.05, 2.5), point(0.1, 4.0)], "preserve", rivals, values)
    first, second = found.points
    assert (first.rank, first.of, first.beaten_by) == (2, 4, ["a"])
    assert (second.rank, second.beaten_by) == (3, ["b", RANDOM])
    assert (second.best_rival, second.best_rival_score) == ("b", 9.0)
    assert (found.methods, found.random_masks, found.extremal) == (["a", "b"], 1, False)


@pytest.mark.parametrize(("variant", "value"), [("preserve", 2.5), ("delete", -1.0), ("hybrid", 1.5)])
def test_what_is_compared_is_what_the_variant_maximises(variant: str, value: float) -> None:
    rivals = Rivals((RANDOM,), torch.tensor([0.25]).view(1, 1, 1, 1, 1))
    values = objective_values(score_is_value, rivals.masks, 0, variant)
    found = check_extremality([point(0.05, 2.5)], variant, rivals, values)
    assert found.points[0].score == value
    expected = {"preserve": 0.25, "delete": -0.75, "hybrid": -0.5}[variant]
    assert found.points[0].best_rival_score == pytest.approx(expected)


def test_a_mask_on_the_wrong_spot_is_found_out(spot_model: Classifier, pyramids: Pyramids) -> None:
    """The second class's spot is where its best mask lies; a mask of the first one's is beaten by its map."""
    right, wrong = (spot_map(where) for where in reversed(SPOTS))
    masks = top_area_masks(torch.stack([right, wrong]), AREAS)
    scores = partial(pyramids.scores, spot_model.network)
    curve = curve_of(scores, masks[1])
    rivals = rivals_of(["right"], right[None], curve, preset="fast", random=3, seed=0)
    assert rivals.masks.shape == (4, 2, 1, SIDE, SIDE)
    values = objective_values(scores, rivals.masks, 1, "preserve")
    beaten = check_extremality(curve, "preserve", rivals, values)
    assert not beaten.extremal
    assert all(one.beaten_by[0] == "right" for one in beaten.points)
    even = check_extremality(curve_of(scores, masks[0]), "preserve", rivals, values)
    assert even.extremal


def test_a_rival_beats_a_mask_by_more_than_the_tolerance() -> None:
    assert TOLERANCE == 1e-3
    assert not beats(10.009, 10.0)
    assert beats(10.011, 10.0)
    assert beats(-9.98, -10.0)
    assert not beats(0.0009, 0.0)  # of 1, where a score is smaller


def test_random_masks_hang_on_the_seed_alone() -> None:
    assert torch.equal(random_maps((40, 60), count=2, seed=1), random_maps((40, 60), count=2, seed=1))
    assert not torch.equal(random_maps((40, 60), count=2, seed=1), random_maps((40, 60), count=2, seed=2))


@pytest.mark.slow
def test_every_sweep_is_checked_unless_told_otherwise(spot_model: Classifier) -> None:
    image = checkerboard()[None] / 2 + 0.5
    spec = ExtremalSpec(target=0, areas=AREAS, perturbation="fade", iterations=10, alternatives=0, contrast=False)
    found = explain(spot_model, image, spec)
    assert found.extremality is not None
    assert [one.area for one in found.extremality.points] == list(AREAS)
    assert found.extremality.methods == ["center", "gradient"]  # this network has no layer for Grad-CAM
    assert found.extremality.random_masks > 0
    assert found.report().extremality == found.extremality
    unchecked = explain(spot_model, image, spec.model_copy(update={"check_extremality": False, "iterations": 1}))
    assert unchecked.extremality is None


def score_is_value(masks: Tensor, _images: Tensor) -> Tensor:
    """A network whose score is the mask's own value."""
    return masks.flatten(1).mean(dim=1, keepdim=True)


def point(area: float, preserve: float) -> CurvePoint:
    return CurvePoint(area=area, measured_area=area, preserve=preserve, delete=1, preserve_probability=1, binariness=0)


def curve_of(scores: object, masks: Tensor) -> list[CurvePoint]:
    values = scores(masks, torch.zeros(len(masks), dtype=torch.long))[:, 1].tolist()  # type: ignore[operator]
    return [point(area, value) for area, value in zip(AREAS, values, strict=True)]


def spot_map(where: slice) -> Tensor:
    map_ = torch.zeros(SIDE, SIDE)
    map_[where, where] = 1
    return map_
