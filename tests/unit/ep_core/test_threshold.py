"""The threshold: values by hand for scores of any sign, its effect on a*, and its description in results."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from ep_core import ExtremalSpec, explain
from ep_core.cli.verdicts import Goal, channels_verdict, verdict
from ep_core.masks.scores import reference_scores
from ep_core.models import Classifier, Preprocessing
from ep_core.pictures.plot import curve_plot
from ep_core.schemas.curve import optimal_area
from ep_core.schemas.model_card import LayerCard
from ep_core.schemas.reports.common import Scores, ThresholdRule
from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.specs import Variant
from ep_core.schemas.threshold import threshold_of, threshold_warnings

VARIANTS = get_args(Variant)
SHARE, BETWEEN, DOWN, NONE = get_args(ThresholdRule)
SIDE = 32


def scores_of(original: float, perturbed: float, variant: Variant, tau: float) -> Scores:
    threshold, rule = threshold_of(original, perturbed, variant=variant, tau=tau)
    return Scores(
        original=original,
        perturbed=perturbed,
        threshold=threshold,
        threshold_rule=rule,
        original_probability=0.5,
    )


def curve(*points: tuple[float, float, float]) -> list[CurvePoint]:
    """Points of (area, preserve, delete)."""
    return [
        CurvePoint(area=a, measured_area=a, preserve=p, delete=d, preserve_probability=0.5, binariness=0)
        for a, p, d in points
    ]


@pytest.mark.parametrize(
    ("original", "perturbed", "tau", "kept", "keep_rule", "deleted"),
    [
        # positive: tau of the score, down by tau of the difference
        (10.0, 2.0, 1.0, 10.0, SHARE, 2.0),
        (10.0, 2.0, 0.5, 5.0, SHARE, 6.0),
        (10.0, -2.0, 0.25, 2.5, SHARE, 7.0),
        (10.0, 2.0, 1.5, 15.0, SHARE, -2.0),
        # negative: tau of the score would lie above it
        (-2.0, -6.0, 1.0, -2.0, BETWEEN, -6.0),
        (-2.0, -6.0, 0.5, -4.0, BETWEEN, -4.0),
        (-2.0, -6.0, 0.25, -5.0, BETWEEN, -3.0),
        (-2.0, -6.0, 2.0, 2.0, BETWEEN, -10.0),
        # zero: tau of the score would be 0 whatever tau is
        (0.0, -4.0, 1.0, 0.0, BETWEEN, -4.0),
        (0.0, -4.0, 0.25, -3.0, BETWEEN, -1.0),
        # the perturbed image scores no less: there is no way
        (2.0, 5.0, 0.5, None, NONE, None),
        (-5.0, -2.0, 1.0, None, NONE, None),
        (-2.0, 3.0, 0.5, None, NONE, None),
        (3.0, 3.0, 1.0, None, NONE, None),
        (0.0, 0.0, 1.0, None, NONE, None),
    ],
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_by_hand(
    original: float,
    perturbed: float,
    tau: float,
    kept: float | None,
    keep_rule: ThresholdRule,
    deleted: float | None,
    variant: Variant,
) -> None:
    found, rule = threshold_of(original, perturbed, variant=variant, tau=tau)
    if variant == "delete":
        assert (found, rule) == (deleted, NONE if deleted is None else DOWN)
    else:
        assert (found, rule) == (kept, keep_rule)


@pytest.mark.parametrize(("original", "perturbed"), [(13.76, 1.12), (0.1, 0.07), (-0.3, -17.9), (0.0, -1 / 3)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_tau_of_one_is_exact(original: float, perturbed: float, variant: Variant) -> None:
    found, _ = threshold_of(original, perturbed, variant=variant, tau=1)
    assert found == (perturbed if variant == "delete" else original)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("original", "perturbed"), [(10.0, 0.0), (-2.0, -6.0), (0.0, -4.0)])
def test_a_lower_tau_is_never_harder_to_reach(original: float, perturbed: float, variant: Variant) -> None:
    found = [threshold_of(original, perturbed, variant=variant, tau=tau)[0] or 0 for tau in (0.1, 0.5, 0.9, 1, 1.1)]
    assert found == sorted(found, reverse=variant == "delete")


def test_a_deletion_obeys_tau() -> None:
    sweep = curve((0.05, 0, 9), (0.1, 0, 5), (0.2, 0, 1), (0.4, 0, 0.5))
    reached = {tau: optimal_area(sweep, scores_of(10, 1, "delete", tau), "delete") for tau in (0.1, 0.5, 1, 1.1)}
    assert reached == {0.1: 0.05, 0.5: 0.1, 1: 0.2, 1.1: None}  # down to 9.1, 5.5, 1 and 0.1


def test_a_negative_score_can_be_reached_by_less_than_all_of_it() -> None:
    sweep = curve((0.05, -5.5, 0), (0.1, -3.9, 0), (0.2, -1.9, 0))
    reached = [optimal_area(sweep, scores_of(-2, -6, "preserve", tau), "preserve") for tau in (0.1, 0.5, 1, 2)]
    assert reached == [0.05, 0.1, 0.2, None]  # up to -5.6, -4, -2 and 2


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_a_threshold_there_is_no_optimal_area_but_a_reason(variant: Variant) -> None:
    found = scores_of(2, 5, variant, 1)
    assert optimal_area(curve((0.05, 100, -100)), found, variant) is None
    (warning,) = threshold_warnings(found)
    assert warning.kind == "threshold"
    assert "the fully perturbed image scores 5, no less than the original's 2" in warning.detail


def test_a_threshold_that_nothing_at_all_reaches_is_told() -> None:
    (warning,) = threshold_warnings(scores_of(10, 6, "preserve", 0.5))
    assert "the fully perturbed image scores 6 and reaches the threshold of 5" in warning.detail
    assert "use a threshold above 0.6" in warning.detail
    assert threshold_warnings(scores_of(10, 6, "preserve", 0.7)) == ()
    assert threshold_warnings(scores_of(10, 6, "delete", 0.5)) == ()
    assert threshold_warnings(scores_of(-10, -16, "preserve", 0.01)) == ()


def test_results_from_before_the_rule_was_told_are_read() -> None:
    old = json.dumps({"original": 10, "perturbed": 1, "threshold": 1, "original_probability": 0.9})
    found = Scores.model_validate_json(old)
    assert found.threshold_rule is None
    assert optimal_area(curve((0.1, 0, 5), (0.2, 0, 1)), found, "delete") == 0.2


def test_reference_scores_name_the_rule() -> None:
    def scores(masks: Tensor, _images: Tensor) -> Tensor:
        return 3 * masks.flatten(1).mean(dim=1, keepdim=True) - 4

    found = reference_scores(
        scores, torch.ones(1, 1, 2, 2), 0, variant="hybrid", threshold=0.5, probabilities=torch.sigmoid
    )
    assert found.original_probability == pytest.approx(1 / (1 + math.e))
    assert found.model_dump(exclude={"original_probability", "predictions"}) == {
        "original": -1,
        "perturbed": -4,
        "threshold": -2.5,
        "threshold_rule": BETWEEN,
    }


class Brightness(nn.Module):
    """Scores the mean of the image, less an offset; the second class its opposite, which darkness raises."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = offset
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        score = self.scale * x.mean(dim=(1, 2, 3)) - self.offset
        return torch.stack([score, -score], dim=1)


def brightness(offset: float) -> Classifier:
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(Brightness(offset), name="bright", preprocessing=preprocessing, labels=["light", "dark"])


WHITE = torch.ones(1, 3, SIDE, SIDE)
QUICK = {
    "areas": (0.2, 0.4, 0.6, 0.8),
    "perturbation": "fade",
    "iterations": 2,
    "check_extremality": False,
    "alternatives": 0,
    "contrast": False,
}


@pytest.mark.parametrize(
    ("offset", "variant", "tau", "threshold", "rule", "area"),
    [
        (0.0, "preserve", 0.5, 0.5, SHARE, 0.6),
        (0.0, "delete", 0.5, 0.5, DOWN, 0.6),
        (0.0, "delete", 0.3, 0.7, DOWN, 0.4),
        (3.0, "preserve", 0.5, -2.5, BETWEEN, 0.6),
        (3.0, "hybrid", 0.3, -2.7, BETWEEN, 0.4),
        (3.0, "delete", 0.7, -2.7, DOWN, 0.8),
    ],
)
def test_a_sweep_reaches_its_threshold(
    offset: float, variant: Variant, tau: float, threshold: float, rule: ThresholdRule, area: float
) -> None:
    """The score is the share of the image that is left, less the offset: the area that is needed is known."""
    found = explain(brightness(offset), WHITE, ExtremalSpec(target=0, variant=variant, threshold=tau, **QUICK))
    assert found.scores.threshold == pytest.approx(threshold, abs=1e-3)
    assert found.scores.threshold_rule == rule
    assert found.optimal_area == area
    assert found.warnings == ()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_class_that_perturbing_raises_has_no_optimal_area(variant: Variant) -> None:
    spec = ExtremalSpec(target=1, variant=variant, **QUICK | {"alternatives": 1, "contrast": True})
    found = explain(brightness(0), WHITE, spec)
    report = found.report()
    assert (report.optimal_area, report.scores.threshold, report.scores.threshold_rule) == (None, None, NONE)
    assert [one.kind for one in report.warnings] == ["threshold"]
    assert report.alternatives == []
    assert report.stability is not None
    assert report.stability.optimal_areas == (None, None)
    assert b"threshold" not in curve_plot(report.curve, report.scores, None, title="", xlabel="")


def goose(variant: Variant, tau: float, original: float = 10, perturbed: float = 2) -> Goal:
    return Goal("goose", variant, tau, scores_of(original, perturbed, variant, tau))


@pytest.mark.parametrize(
    ("optimal", "goal", "said"),
    [
        (0.08, goose("preserve", 1), "8.0% of the image suffices for the original score of 'goose'."),
        (0.2, goose("hybrid", 0.5), "20.0% of the image suffices for 0.5 of the original score of 'goose'."),
        (0.2, goose("preserve", 0.5, -2, -6),
         "20.0% of the image suffices for 0.5 of the way up to the original score of 'goose'."),
        (None, goose("preserve", 1),
         "No area of the sweep reaches the original score of 'goose': try larger areas, or a lower --threshold."),
        (0.1, goose("delete", 1), "Without 10.0% of the image, nothing is left of 'goose'."),
        (0.1, goose("delete", 0.5),
         "Without 10.0% of the image, the score of 'goose' falls 0.5 of the way down to that of the fully perturbed "
         "image."),
        (None, goose("delete", 1),
         "No area of the sweep is enough to remove 'goose': try larger areas, or a lower --threshold."),
        (None, goose("delete", 0.5),
         "No area of the sweep takes the score of 'goose' 0.5 of the way down to that of the fully perturbed image: "
         "try larger areas, or a lower --threshold."),
        (None, goose("delete", 1, 2, 5),
         "There is no threshold: 'goose' scores 2.00, and the fully perturbed image no less (5.00)."),
    ],
)  # fmt: skip
def test_verdict(optimal: float | None, goal: Goal, said: str) -> None:
    assert verdict(optimal, goal) == said


@pytest.mark.parametrize(
    ("optimal", "goal", "said"),
    [
        (5, goose("preserve", 1), "5 of the 32 channels of mid suffice for the original score of 'goose'."),
        (5, goose("delete", 0.5),
         "Without 5 of the 32 channels of mid, the score of 'goose' falls 0.5 of the way down to that of the image "
         "without the channels of mid."),
        (None, goose("preserve", 1),
         "No count of the sweep reaches the original score of 'goose': try larger counts, or a lower --threshold."),
        (None, goose("preserve", 1, 2, 5),
         "There is no threshold: 'goose' scores 2.00, and the image without the channels of mid no less (5.00)."),
    ],
)  # fmt: skip
def test_verdict_on_channels(optimal: int | None, goal: Goal, said: str) -> None:
    layer = LayerCard(name="mid", type="Conv2d", channels=32, height=7, width=7)
    assert channels_verdict(optimal, layer, goal) == said


def test_the_documents_name_every_rule() -> None:
    text = (Path(__file__).parents[3] / "docs" / "engine.md").read_text()
    assert all(f"`{rule}`" in text for rule in (SHARE, BETWEEN, DOWN, NONE))
