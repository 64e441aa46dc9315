"""Shares of the image that a network sees, and of its frame that the image fills."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from ep_core import Explanation, explain
from ep_core.cli.verdicts import Goal, coverage_verdict, verdict
from ep_core.models import Classifier, Preprocessing
from ep_core.schemas.pixels import Coverage, OnImage
from ep_core.schemas.reports.common import Scores

from .conftest import SIDE


class Report(OnImage):
    """A report with nothing but its place."""

    image_size: tuple[int, int]
    frame_box: tuple[float, float, float, float] | None


@pytest.mark.parametrize(
    ("box", "of_image", "of_frame"),
    [
        ((0, 0, 8, 4), 1, 1),
        ((2, 0, 6, 4), 0.5, 1),  # the central square
        ((0, -2, 8, 6), 1, 0.5),  # padded above and below
        ((4, -4, 12, 4), 0.5, 0.25),  # both
        ((8, 0, 12, 4), 0, 0),
    ],
)
def test_by_hand(box: Any, of_image: float, of_frame: float) -> None:
    found = Report(image_size=(4, 8), frame_box=box).coverage
    assert found is not None
    assert (found.image, found.frame) == (of_image, of_frame)


def test_old_results_have_none() -> None:
    assert Report(image_size=(4, 8), frame_box=None).coverage is None


@pytest.fixture
def photograph() -> Image.Image:
    return Image.effect_noise((2 * SIDE, SIDE), 90).convert("RGB")


def explained(model: Classifier, photograph: Image.Image, fit: str) -> Explanation:
    return explain(
        model,
        photograph,
        {"fit": fit, "areas": (0.2,), "iterations": 2, "alternatives": 0, "check_extremality": False},
    )


@pytest.mark.parametrize(("fit", "of_image", "of_frame"), [("crop", 0.5, 1), ("whole", 1, 0.5), ("stretch", 1, 1)])
def test_of_a_result(
    spot_model: Classifier, photograph: Image.Image, fit: str, of_image: float, of_frame: float
) -> None:
    spot_model.preprocessing = Preprocessing((SIDE, SIDE), resize=SIDE, mean=(0, 0, 0), std=(1, 1, 1))
    found = explained(spot_model, photograph, fit)
    coverage = found.report().coverage
    assert coverage is not None
    assert (coverage.image, coverage.frame) == (of_image, of_frame)
    assert found.frame.mask_to_image(found.masks[0, 0].numpy()).shape == (SIDE, 2 * SIDE)


@pytest.mark.parametrize(
    ("coverage", "whole", "said"),
    [
        (Coverage(image=0.51, frame=1), "what the network sees", "The network sees 51% of the image: with --fit whole"),
        (Coverage(image=1, frame=0.667), "the padded image", "fills 67% of its frame"),
        (Coverage(image=0.999, frame=1), "the image", ""),
        (None, "the image", ""),
    ],
)
def test_the_terminal_says_of_what_an_area_is_a_share(coverage: Coverage | None, whole: str, said: str) -> None:
    scores = Scores(original=10, perturbed=1, threshold=10, original_probability=0.9)
    found = verdict(0.2, Goal("goose", "preserve", 1, scores), coverage)
    assert found == f"20.0% of {whole} suffices for the original score of 'goose'."
    assert coverage is None or said in coverage_verdict(coverage)
    assert coverage is None or bool(coverage_verdict(coverage)) == bool(said)
