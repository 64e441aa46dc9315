"""Scores that are not finite numbers are an error that says so."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core import Classifier, CompareSpec, ExtremalSpec, compare, explain
from ep_core.engine import run_task
from ep_core.errors import NotFinite
from ep_core.models import Preprocessing
from ep_core.optimiser.presets import independent_lanes
from ep_core.optimiser.presets.fast import CONTRASTS, FastRule
from ep_core.schemas.finite import require_finite_report
from ep_core.schemas.reports.extremal import ExtremalReport
from service.jobs.examples import REPORT

from .conftest import SIDE, checkerboard

IMAGE = checkerboard()[None] / 2 + 0.5


class Standardised(nn.Module):
    """Divides each image by its own deviation: an even one has none."""

    def forward(self, x: Tensor) -> Tensor:
        standardised = (x - x.mean(dim=(1, 2, 3), keepdim=True)) / x.std(dim=(1, 2, 3), keepdim=True)
        return standardised.flatten(1)[:, :: 3 * SIDE * SIDE // 2][:, :2]


@pytest.fixture
def model() -> Classifier:
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(Standardised(), name="standardised", preprocessing=preprocessing, labels=["a", "b"])


def test_a_network_that_knows_no_even_image_is_told_before_any_work(model: Classifier) -> None:
    said = "standardised gives the score nan under the perturbation 'fade', .* Try perturbation 'blur', or another"
    with pytest.raises(NotFinite, match=said) as raised:
        explain(model, IMAGE, ExtremalSpec(target=0, perturbation="fade"))
    assert raised.value.field == "perturbation"
    with pytest.raises(NotFinite, match="fade"):
        compare(model, IMAGE, CompareSpec(target=0, perturbation="fade", methods=("center",)))
    image = Image.new("RGB", (SIDE, SIDE), "gray")
    with pytest.raises(NotFinite, match="fade"):
        run_task(model, [image], ExtremalSpec(target=0, perturbation="fade", areas=(0.5,), iterations=1))


def test_by_another_perturbation_it_is_explained(model: Classifier) -> None:
    found = explain(model, IMAGE, ExtremalSpec(target=0, areas=(0.5,), iterations=1).masks_only())
    assert found.curve[0].preserve == pytest.approx(found.curve[0].preserve)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_any_number_of_a_report_counts(wrong: float) -> None:
    report = ExtremalReport.model_validate(REPORT)
    require_finite_report(report)
    report.curve[-1].delete = wrong
    with pytest.raises(NotFinite, match=str(wrong)):
        require_finite_report(report)


@pytest.mark.parametrize("side", [28, 32, 48])
def test_masks_of_small_frames_are_finite(side: int) -> None:
    """Scattered ones are sharpened the most, and half to a large power is 0."""
    lanes = independent_lanes(ExtremalSpec(areas=(0.05, 0.1, 0.2, 0.4, 0.8), iterations=10), image=0, target=0)
    for seed in range(10):
        rule = FastRule(lanes, (side, side), torch.device("cpu"))
        rule._theta.copy_(torch.randn(rule._theta.shape, generator=torch.Generator().manual_seed(seed)))
        rule._contrast.fill_(CONTRASTS[1])
        rule.taken.fill_(10)
        masks = rule.masks(range(len(lanes)))
        assert masks.isfinite().all()
        assert masks.min() >= 0
        assert masks.max() <= 1
