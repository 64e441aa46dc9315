"""Masks of small, large and oblong frames: as large as asked for, nearly binary, finite, where the network looks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ep_core import CompareSpec, ExtremalSpec, compare, explain
from ep_core.extremal.promised import SLACK, mask_warnings
from ep_core.optimiser.presets import SPATIAL_PRESETS, independent_lanes
from ep_core.optimiser.presets.fast import MOST_CONTRAST, FastRule
from ep_core.optimiser.presets.promises import AREA_MISSED, NOT_BINARY, Measured
from tests.unit.ep_core.small_frames import blob_model, ellipse, image

AREAS = (0.05, 0.1, 0.2, 0.4)
SIZES = [(28, 28), (32, 32), (48, 48), (64, 64), (96, 96), (160, 160), (384, 384)]
OBLONG = [(28, 40), (50, 32), (48, 80), (64, 100), (130, 96), (160, 220), (300, 384)]
CPU = torch.device("cpu")


def spec(*areas: float, **asked: object) -> ExtremalSpec:
    """A sweep of the blob, without the blocks beside its masks."""
    wanted = {"check_extremality": False, "alternatives": 0, "contrast": False} | asked
    return ExtremalSpec(target=0, areas=areas, perturbation="fade", **wanted)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "independent"), [*((size, False) for size in SIZES + OBLONG), ((28, 28), True), ((32, 50), True)]
)
def test_masks_are_what_is_promised(size: tuple[int, int], independent: bool) -> None:
    iterations = 100 if max(size) <= 64 else 50  # a large frame's steps are slow, and its masks the easier ones
    asked = spec(*AREAS, independent=independent, iterations=iterations)
    found = explain(blob_model(size), image(size), asked)
    assert found.warnings == ()
    assert found.masks.shape == (4, 1, *size)
    assert found.masks.isfinite().all()
    on_blob = ellipse(size)
    for area, point, mask in zip(AREAS, found.curve, found.masks[:, 0], strict=True):
        assert point.measured_area == pytest.approx(area, abs=1e-3)
        assert point.binariness <= min(0.05, 0.5 * area * (1 - area))
        assert mask.max() > 0.8
        assert mask.min() < 0.01
        share = float((mask * on_blob).sum() / min(mask.sum(), on_blob.sum()))
        assert share > 0.7  # by chance its area


@pytest.mark.slow
@pytest.mark.parametrize("side", [16, 28, 32, 48, 64])
def test_contrast_and_areas_stay_in_bounds_whatever_the_parameters(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scattered masks are the greyest, and are sharpened the most."""
    contrasts, masks_at = [], FastRule._masks_at

    def noted(rule: FastRule, logits: Tensor, slope: Tensor, contrast: Tensor) -> Tensor:
        contrasts.append(float(contrast.max()))
        return masks_at(rule, logits, slope, contrast)

    monkeypatch.setattr(FastRule, "_masks_at", noted)
    areas = (*AREAS, 0.8)
    rule = FastRule(independent_lanes(spec(*areas, iterations=10), image=0, target=0), (side, side), CPU)
    rule.taken.fill_(10)
    for seed in range(5):
        rule._theta.copy_(torch.randn(rule._theta.shape, generator=torch.Generator().manual_seed(seed)))
        masks = rule.masks(range(5))
        assert masks.isfinite().all()
        assert masks.mean(dim=(1, 2, 3)).tolist() == pytest.approx(areas, abs=1e-3)
    assert max(contrasts) <= MOST_CONTRAST


def test_an_area_smaller_than_a_spot_is_told() -> None:
    found = explain(blob_model((28, 28)), image((28, 28)), spec(0.004, 0.2))
    (warning,) = found.warnings
    assert warning.kind == NOT_BINARY
    assert "0.004 (measured 0.004)" in warning.detail
    assert "0.2 (" not in warning.detail
    assert "28 x 28 pixels, a single cell of the masks' lattice makes a spot of 0.11" in warning.detail
    assert "from 64 x 64 pixels on, of 0.022" in warning.detail
    assert list(found.report().warnings) == [warning]


def test_an_area_that_is_missed_is_told() -> None:
    """As where the top area of a rival takes the place of a mask of nearly the whole frame."""
    measured = [Measured(0.2, 0.2001, 0.04, SLACK), Measured(0.995, 0.98, 0.001, SLACK)]
    (warning,) = mask_warnings(measured, spec(0.2, 0.995), (64, 64))
    assert warning.kind == AREA_MISSED
    assert ": 0.995 (measured 0.98). Ask for areas of 0.98 at most." in warning.detail


def test_greyness_is_a_share_of_an_even_greys() -> None:
    even = Measured(0.1, 0.1, 0.1 * 0.9, SLACK)
    assert even.greyness == pytest.approx(1)
    assert Measured(0.1, 0.1, 0.0, SLACK).greyness == 0
    assert not even.is_binary(SPATIAL_PRESETS["fast"].promise)
    assert not even.is_binary(SPATIAL_PRESETS["paper"].promise)
    assert not Measured(0.4, 0.4, 0.051, SLACK).is_binary(SPATIAL_PRESETS["fast"].promise)
    assert Measured(0.4, 0.4, 0.051, SLACK).is_binary(SPATIAL_PRESETS["paper"].promise)


def test_the_masks_of_blocks_are_looked_at_too() -> None:
    asked = spec(0.004, 0.2, threshold=0.01, contrast=True)
    (warning,) = explain(blob_model((28, 28)), image((28, 28)), asked).warnings
    assert "0.004 in the contrast" in warning.detail


@pytest.mark.slow
def test_masks_of_paper_that_had_no_time_are_told() -> None:
    short, own = (spec(0.1, 0.3, preset="paper", iterations=count) for count in (3, 400))
    warning, *grey = explain(blob_model((28, 28)), image((28, 28)), short).warnings
    assert [warning.kind, *(one.kind for one in grey)] == [AREA_MISSED, NOT_BINARY]
    assert "0.1 (measured 0.9" in warning.detail
    assert (
        "More than 3 iterations help (the preset's own are 1600). Preset 'fast' holds areas exactly" in warning.detail
    )
    assert explain(blob_model((32, 32)), image((32, 32)), own).warnings == ()


def test_compared_masks_are_told_once_as_they_are_handed_out() -> None:
    asked = CompareSpec(
        target=0, areas=(0.004, 0.2), perturbation="fade", iterations=30, methods=("center", "extremal")
    )
    found = compare(blob_model((28, 28)), image((28, 28)), asked)
    assert [one.kind for one in found.warnings] == [NOT_BINARY]
    assert "0.004" in found.warnings[0].detail
    assert found.explanation is not None
    for point in found.answers[0].curve:
        assert point.measured_area == pytest.approx(point.area, abs=5e-4)
