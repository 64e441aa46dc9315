"""Insertion, deletion, keep and delete: by hand on networks whose answer is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import nn

from ep_core.errors import InvalidInput
from ep_core.evaluation.faithfulness import faithfulness
from ep_core.evaluation.insertion import STEPS, area_under, authors_blur, authors_steps, pixel_curve
from ep_core.evaluation.reporting.report import EvaluationReport
from ep_core.models import Classifier
from ep_core.schemas.specs import CompareSpec

LOGIT = torch.tensor([4.0, 3.0, 2.0, 1.0]) / 3
"""Of each of 2 x 2 pixels whose three channels are a third of it."""


class Sum(nn.Module):
    """Scores the sum of an image, against 0."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = x.sum(dim=(1, 2, 3))
        return torch.stack([total, torch.zeros_like(total)], dim=1)


SUM = nn.Sequential(Sum(), nn.Softmax(dim=1))


def photograph(folder: Path, upper_left: float, lower_right: float) -> Path:
    """Write a picture whose detail in the two spots of `spot_model` is of these contrasts."""
    rows, columns = np.indices((168, 168))
    board = 2.0 * ((rows + columns) % 2) - 1
    contrast = np.where(rows < 84, upper_left, lower_right)
    picture = np.round(127.5 + 127.5 * contrast * board).astype(np.uint8)
    path = folder / f"spots_{upper_left}_{lower_right}.png"
    Image.fromarray(np.repeat(picture[:, :, None], 3, axis=2)).save(path)
    return path


def row(report: EvaluationReport, title: str) -> dict[str, float]:
    table = report.tables[0]
    (found,) = (one for one in table.rows if one[0] == title)
    return dict(zip(table.columns, found, strict=True))  # type: ignore[arg-type]


def test_pixels_are_inserted_by_rank_and_probabilities_are_those_of_the_sum() -> None:
    end = (LOGIT / 3).view(1, 1, 2, 2).expand(-1, 3, -1, -1)
    saliency = torch.tensor([[0.1, 0.9], [0.5, 0.2]])  # second, third, fourth, first pixel
    curve = pixel_curve(SUM, torch.zeros_like(end), end, saliency, 0)
    totals = torch.cat([torch.zeros(1), LOGIT[[1, 2, 3, 0]].cumsum(0)])
    expected = torch.sigmoid(totals[torch.arange(STEPS + 1) * 4 // STEPS])
    assert curve == pytest.approx(expected.tolist())
    assert curve[0] == 0.5
    assert curve[7] == pytest.approx(1 / (1 + np.exp(-1)))


def test_pixels_of_the_same_saliency_go_row_by_row() -> None:
    end = (LOGIT / 3).view(1, 1, 2, 2).expand(-1, 3, -1, -1)
    curve = pixel_curve(SUM, torch.zeros_like(end), end, torch.zeros(2, 2), 0)
    assert curve[7] == pytest.approx(1 / (1 + np.exp(-4 / 3)))


def test_area_is_that_of_trapezia() -> None:
    assert area_under([0, 0.5, 1], [0, 1, 0]) == 0.5
    assert area_under([0, 0.2, 1], [1, 0.5, 0]) == pytest.approx(0.15 + 0.2)


def test_the_perfect_map_beats_its_negation(spot_model: Classifier, tmp_path: Path) -> None:
    x, _ = spot_model.preprocess(Image.open(photograph(tmp_path, 1, 0.5)))
    perfect = spot_model.network[1].weight[0].detach().view(3, 168, 168).abs().sum(dim=0)  # type: ignore[index]
    grey = torch.full_like(x, 0.5)
    probable = spot_model.probabilities_by(spot_model.network)
    with torch.no_grad():
        inserted = [pixel_curve(probable, grey, x, sign * perfect, 0) for sign in (1, -1)]
        deleted = [pixel_curve(probable, x, grey, sign * perfect, 0) for sign in (1, -1)]
    places = [k / STEPS for k in range(STEPS + 1)]
    best, worst = (area_under(places, curve) for curve in inserted)
    assert best > 0.95
    assert worst < 0.6
    best, worst = (area_under(places, curve) for curve in deleted)
    assert best < worst


def test_a_map_of_the_spot_keeps_and_deletes_the_score(spot_model: Classifier, tmp_path: Path) -> None:
    paths = [photograph(tmp_path, 1, 0.5)]
    spec = CompareSpec(methods=("center", "gradient"), areas=(0.15, 0.5))
    report = faithfulness(spot_model, paths, spec, out=tmp_path / "out")
    gradient, center = row(report, "Gradient"), row(report, "Center")
    # The spot is 8% of the image: 15% keep and delete all of it. The middle lies beside it.
    assert gradient["Keep"] == pytest.approx(0.15 / 2 + 0.85, abs=0.02)
    assert gradient["Delete"] == pytest.approx(0.15 / 2, abs=0.02)
    assert center["Keep"] < gradient["Keep"] - 0.2
    assert center["Delete"] > gradient["Delete"] + 0.2
    assert (tmp_path / "out" / report.figures[0].file).read_bytes().startswith(b"<?xml")


def test_a_method_that_the_network_forbids_says_so_in_its_row(spot_model: Classifier, tmp_path: Path) -> None:
    spec = CompareSpec(methods=("center", "grad_cam"), areas=(0.2,))
    report = faithfulness(spot_model, [photograph(tmp_path, 1, 0.5)], spec, out=tmp_path / "out")
    refused = row(report, "Grad-CAM")
    assert refused["Insertion"] is None
    assert "layer" in str(refused["Remark"])
    assert row(report, "Center")["Remark"] == ""


def test_an_image_that_scores_less_than_its_blur_has_no_keep_and_delete(spot_model: Classifier, tmp_path: Path) -> None:
    paths = [photograph(tmp_path, -1, -0.5), photograph(tmp_path, 1, 0.5)]
    spec = CompareSpec(methods=("gradient",), areas=(0.15,))
    report = faithfulness(spot_model, paths, spec, out=tmp_path / "out")
    assert row(report, "Gradient")["Keep"] == pytest.approx(0.925, abs=0.02)  # the other photograph's
    assert "without 1 photographs" in report.tables[0].note


@pytest.mark.slow
def test_extremal_masks_keep_more_than_any_other(spot_model: Classifier, tmp_path: Path) -> None:
    spec = CompareSpec(methods=("center", "extremal"), areas=(0.1, 0.3), iterations=20)
    report = faithfulness(spot_model, [photograph(tmp_path, 1, 0.5)], spec, out=tmp_path / "out")
    assert row(report, "Extremal perturbations")["Keep"] > 0.8
    assert row(report, "Extremal perturbations")["Keep"] > row(report, "Center")["Keep"] + 0.2
    assert report.tables[1].rows == [["Center", 0, 0], ["Extremal perturbations", 1, 1]]  # who keeps the most


def test_the_authors_area_by_hand() -> None:
    """Four pixels in four steps: (sum - first / 2 - last / 2) / (n - 1), as in RISE's code."""
    end = (LOGIT / 3).view(1, 1, 2, 2).expand(-1, 3, -1, -1)
    saliency = torch.tensor([[0.9, 0.5], [0.2, 0.1]])
    curve = pixel_curve(SUM, torch.zeros_like(end), end, saliency, 0, steps=4)
    expected = [1 / (1 + np.exp(-total)) for total in (0, 4 / 3, 7 / 3, 9 / 3, 10 / 3)]
    assert curve == pytest.approx(expected)
    area = area_under([0, 0.25, 0.5, 0.75, 1], curve)
    assert area == pytest.approx((sum(expected) - expected[0] / 2 - expected[-1] / 2) / 4)


def test_the_authors_blur_is_theirs() -> None:
    """Their window is a point filtered by scipy within 11 x 11 pixels; a convolution slides it, with 0 outside."""
    x = torch.randn(1, 3, 20, 26, generator=torch.Generator().manual_seed(0))
    point = np.zeros((11, 11))
    point[5, 5] = 1
    window = gaussian_filter(point, 5)
    padded = np.pad(x[0].numpy().astype(np.float64), ((0, 0), (5, 5), (5, 5)))
    expected = np.zeros((3, 20, 26))
    for down in range(11):
        for across in range(11):
            expected += window[down, across] * padded[:, down : down + 20, across : across + 26]
    np.testing.assert_allclose(authors_blur(x)[0].numpy(), expected, atol=1e-5)
    assert authors_steps(torch.zeros(1, 3, 224, 224)) == 224


def test_the_authors_setting_is_told_and_kept_apart(spot_model: Classifier, tmp_path: Path) -> None:
    paths, spec = [photograph(tmp_path, 1, 0.5)], CompareSpec(methods=("gradient",), areas=(0.15,))
    report = faithfulness(spot_model, paths, spec, authors=True, out=tmp_path / "out")
    assert report.settings["steps"] == 168
    assert "11 x 11 blur" in report.about
    with pytest.raises(InvalidInput, match="other settings"):
        faithfulness(spot_model, paths, spec, out=tmp_path / "out")


def test_costs_stand_beside_seconds_and_older_logs_have_none(spot_model: Classifier, tmp_path: Path) -> None:
    paths, spec = [photograph(tmp_path, 1, 0.5)], CompareSpec(methods=("center", "gradient"), areas=(0.15,))
    report = faithfulness(spot_model, paths, spec, out=tmp_path / "out")
    assert row(report, "Center")["Forwards"] == 0
    assert row(report, "Gradient")["Forwards"] == 3
    log = tmp_path / "out" / "faithfulness" / "gradient-0.jsonl"
    settings, record = map(json.loads, log.read_text().splitlines())
    del record["cost"]
    log.write_text(f"{json.dumps(settings)}\n{json.dumps(record)}\n")
    again = faithfulness(spot_model, paths, spec, out=tmp_path / "out")
    assert row(again, "Gradient")["Forwards"] is None
    assert row(again, "Gradient")["Insertion"] == row(report, "Gradient")["Insertion"]
