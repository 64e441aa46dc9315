"""The rows of figure 5, and the strips of figure 3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from ep_core.engine import explain
from ep_core.evaluation.curves import MOST_TILES, mask_strip
from ep_core.evaluation.growth import BAR, SATURATED, TILE, growth, growth_row, share_of
from ep_core.evaluation.reporting.strips import GAP
from ep_core.models import Classifier
from ep_core.pictures.plot import PRESERVE
from ep_core.schemas.specs import ExtremalSpec

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (168, 168, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("score", "threshold", "share"),
    [(5, 10, 0.5), (10, 10, 1), (20, 10, SATURATED), (-3, 10, 0), (-3, -5, SATURATED), (-7, -5, 0)],
)
def test_bars_are_shares_of_the_threshold_and_saturate(score: float, threshold: float, share: float) -> None:
    assert share_of(score, threshold) == pytest.approx(share)


def test_a_row_has_a_bar_below_each_mask(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    x, _ = mobilenet.preprocess(sample("goose"))
    areas = (0.3, 0.9)
    one = explain(mobilenet, x, ExtremalSpec(areas=areas, iterations=2, check_extremality=False))
    row = np.asarray(growth_row(one))
    assert row.shape[1] == 3 * (TILE + GAP) - GAP
    bars = (row[-BAR] == ImageColor.getrgb(PRESERVE)).all(axis=1)  # the topmost line, above the text
    for k, point in enumerate(one.curve, start=1):
        start = k * (TILE + GAP)
        share = share_of(point.preserve, one.scores.threshold)
        assert bars[start : start + TILE].sum() == pytest.approx(TILE * share / SATURATED, abs=2)
    assert not bars[:TILE].any()


def test_a_strip_has_few_tiles_of_a_dense_sweep(spot_model: Classifier) -> None:
    one = explain(spot_model, NOISE, ExtremalSpec(areas=(0.5,), iterations=1, check_extremality=False))
    areas = tuple(0.05 * k for k in range(1, 19))
    dense = replace(one, spec=one.spec.model_copy(update={"areas": areas}), masks=one.masks.expand(18, -1, -1, -1))
    assert mask_strip(dense).width == MOST_TILES * (112 + GAP) - GAP


def test_pictures_that_are_gone_are_drawn_again_and_others_are_not(spot_model: Classifier, tmp_path: Path) -> None:
    NOISE.save(tmp_path / "noise.png")
    spec = ExtremalSpec(areas=(0.5,), iterations=1)
    first = growth(spot_model, [tmp_path / "noise.png"], spec, out=tmp_path)
    picture, log = (tmp_path / first.figures[0].file), tmp_path / "growth" / "log-0.jsonl"
    before, lines = picture.read_bytes(), len(log.read_text().splitlines())
    assert growth(spot_model, [tmp_path / "noise.png"], spec, out=tmp_path) == first
    assert len(log.read_text().splitlines()) == lines
    picture.unlink()
    growth(spot_model, [tmp_path / "noise.png"], spec, out=tmp_path)
    assert picture.read_bytes() == before
    assert len(log.read_text().splitlines()) == lines + 1
