"""Rivals are held beside a mask at the area that it has, and smoothed in the way that its preset smooths."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ep_core import Classifier, CompareSpec, ExtremalSpec, InvalidInput, compare, explain
from ep_core.cli.verdicts import extremality_verdict
from ep_core.evaluation.extremality import extremality
from ep_core.extremal.extremality import TOLERANCE, check_extremality, objective_values, rivals_of
from ep_core.extremal.top_area import top_area_masks
from ep_core.masks.cells import CELLS
from ep_core.masks.perturbation import Pyramids, gaussian_blur
from ep_core.masks.scores import score_curve
from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.presets.paper import PaperRule
from ep_core.schemas.reports.extremal import Extremality
from ep_core.schemas.specs import Preset

from .conftest import SIDE, SPOTS, checkerboard

Check = Callable[[Tensor, Preset], Extremality]
TARGET = 1
ASKED = 0.05


def spot_map(where: slice) -> Tensor:
    map_ = torch.zeros(SIDE, SIDE)
    map_[where, where] = 1
    return map_


WRONG, RIGHT = (spot_map(where) for where in SPOTS)


@pytest.fixture
def check(spot_model: Classifier, pyramids: Pyramids) -> Check:
    """A function that holds one mask, asked for at `ASKED`, beside the top area of the map of the right spot."""
    scores = partial(pyramids.scores, spot_model.network)

    def run(mask: Tensor, preset: Preset) -> Extremality:
        curve = score_curve(scores, mask, TARGET, [ASKED], probabilities=torch.sigmoid)
        rivals = rivals_of(["right"], RIGHT[None], curve, preset=preset, random=1, seed=0)
        values = objective_values(scores, rivals.masks, TARGET, "preserve")
        return check_extremality(curve, "preserve", rivals, values)

    return run


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_a_bad_mask_is_found_out_however_large_it_is(check: Check, preset: Preset) -> None:
    """It scores more than any mask of the area asked for can, and less than one of its own area."""
    order = WRONG + gaussian_blur(RIGHT[None, None], 8)[0, 0] / 2  # all of the wrong spot, then the right one
    (mask,) = top_area_masks(order[None], [0.27], preset)
    found = check(mask, preset)
    (point,) = found.points
    asked_for = check(top_area_masks(RIGHT[None], [ASKED], preset)[0], preset)
    assert point.score > asked_for.points[0].score
    assert not found.extremal
    assert point.beaten_by[0] == "right"
    assert (point.area, point.measured_area) == (ASKED, pytest.approx(0.27, rel=2e-4))
    assert point.best_rival_area == pytest.approx(point.measured_area, rel=2e-4)
    assert "5.0% by right" in extremality_verdict(found)
    assert "by more than 0.1%" in extremality_verdict(found)


@pytest.mark.parametrize("preset", ["fast", "paper"])
@pytest.mark.parametrize("area", [0.01, 0.05, 0.1])
def test_the_best_mask_of_its_family_is_extremal(check: Check, preset: Preset, area: float) -> None:
    """Also where its score rises steeply with the area: rivals are no larger."""
    found = check(top_area_masks(RIGHT[None], [area], preset)[0], preset)
    assert found.extremal
    assert found.tolerance == TOLERANCE
    assert found.points[0].best_rival_score == pytest.approx(found.points[0].score, rel=TOLERANCE)


def test_a_soft_mask_is_not_held_beside_sharp_ones(check: Check) -> None:
    """The best one that eq. 7 makes would lose to a sharpened one of its area."""
    soft = top_area_masks(RIGHT[None], [0.1], "paper")[0]
    assert not check(soft, "fast").extremal
    assert check(soft, "paper").extremal


def test_rivals_of_paper_are_made_as_its_masks_are() -> None:
    (rival,) = top_area_masks(RIGHT[None], [0.1], "paper")
    rule = PaperRule([Lane(0, 0, 0.1, "preserve", end=1)], (SIDE, SIDE), torch.device("cpu"))
    cells = torch.zeros(1, 1, CELLS, CELLS)
    middle = CELLS // 2
    cells[..., middle - 3 : middle + 3, middle - 3 : middle + 3] = 1
    ours = rule.masks_of(cells)

    def slope(mask: Tensor) -> float:
        return float(mask.diff(dim=-1).abs().max())

    assert slope(rival) == pytest.approx(slope(ours), rel=0.25)
    assert slope(top_area_masks(RIGHT[None], [0.1], "fast")) > 2 * slope(ours)


@pytest.mark.parametrize("area", [0.004, 0.3, 0.97])
@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_rivals_have_the_area_to_a_ten_thousandth_of_it(preset: Preset, area: float) -> None:
    masks = top_area_masks(torch.stack([RIGHT, WRONG]), [area], preset)
    torch.testing.assert_close(masks.mean(dim=(2, 3, 4)), torch.full((2, 1), area), atol=0, rtol=1.1e-4)


@pytest.mark.slow
def test_a_sweep_of_paper_that_has_not_met_its_areas_is_not_called_extremal(spot_model: Classifier) -> None:
    """After 20 iterations its masks are grey and ten times too large: masks of the areas asked for can't beat them."""
    image = checkerboard()[None] / 2 + 0.5
    spec = ExtremalSpec(target=0, areas=(0.05, 0.1), perturbation="fade", preset="paper", iterations=20)
    found = explain(spot_model, image, spec)
    assert found.extremality is not None
    assert not found.extremality.extremal
    for point, ours in zip(found.extremality.points, found.curve, strict=True):
        assert ours.measured_area > 4 * ours.area
        assert point.measured_area == ours.measured_area
        assert point.best_rival_area == pytest.approx(ours.measured_area, abs=2e-4)
        assert (point.beaten_by, point.found_by) == (["gradient"], "walks")


@pytest.mark.slow
def test_a_comparison_of_unequal_areas_warns_and_checks_at_equal_ones(spot_model: Classifier) -> None:
    spec = CompareSpec(methods=("gradient", "extremal"), target=0, areas=(0.1,), perturbation="fade", iterations=20)
    image = checkerboard()[None] / 2 + 0.5
    assert "areas" not in {one.kind for one in compare(spot_model, image, spec).warnings}
    found = compare(spot_model, image, spec.model_copy(update={"preset": "paper"}))
    (warning,) = (one for one in found.report().warnings if one.kind == "areas")
    ours = found.answers[1].curve[0].measured_area
    assert f"{ours:.1%} and 10.0% at 10.0%" in warning.detail
    assert found.extremality is not None
    (point,) = found.extremality.points
    assert point.measured_area == ours
    assert point.best_rival_area == pytest.approx(ours, abs=2e-4)
    assert (point.rank, found.extremality.extremal) == (2, False)


def test_points_from_before_say_nothing_of_areas() -> None:
    point = {"area": 0.1, "score": 2, "rank": 1, "of": 2, "best_rival": "center", "best_rival_score": 1}
    old = {"extremal": True, "methods": ["center"], "random_masks": 0, "points": [point]}
    found = Extremality.model_validate(old)
    assert (found.points[0].measured_area, found.points[0].best_rival_area) == (None, None)


def test_the_evaluation_takes_masks_of_exact_areas_alone(spot_model: Classifier, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="use the preset 'fast'"):
        extremality(spot_model, [], CompareSpec(methods=("center",), preset="paper"), out=tmp_path)
