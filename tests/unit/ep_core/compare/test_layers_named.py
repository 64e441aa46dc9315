"""Comparisons and evaluations report the layer that each method read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn
from typer.testing import CliRunner

from ep_core.cli.main import app
from ep_core.compare.run import compare
from ep_core.evaluation.reporting.report import EvaluationReport
from ep_core.models import Classifier
from ep_core.schemas.specs import CompareSpec

SAMPLES = Path(__file__).parents[4] / "samples"
READERS = ("grad_cam", "excitation_backprop", "contrastive_excitation_backprop")


@pytest.fixture
def model() -> Classifier:
    torch.manual_seed(0)
    below = (nn.Conv2d(3, 4, 3, stride=16, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, stride=2, padding=1), nn.ReLU())
    return Classifier(nn.Sequential(*below, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)))


@pytest.mark.parametrize(("layer", "read"), [(None, ("3", "1", "1")), ("0", ("0", "0", "0"))])
def test_a_comparison_says_what_was_read(
    model: Classifier, sample: Callable[[str], Image.Image], layer: str | None, read: tuple[str, ...]
) -> None:
    spec = CompareSpec(methods=(*READERS, "center"), target=0, areas=(0.1,), layer=layer)
    found = compare(model, sample("goose"), spec)
    assert [one.layer for one in found.report().methods] == [*read, None]


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.slow
def test_the_terminal_says_it_too(tmp_path: Path) -> None:
    image, out = SAMPLES / "goose.jpg", tmp_path / "out"
    shown = run("compare", image, "-o", out, "--methods", "grad_cam,gradient", "--areas", "0.1", "--device", "cpu")
    assert "Grad-CAM (features)" in shown
    methods = json.loads((out / "result.json").read_text())["methods"]
    assert [one["layer"] for one in methods] == ["features", None]


@pytest.fixture
def boxes(tmp_path: Path) -> tuple[object, ...]:
    table = tmp_path / "boxes.csv"
    table.write_text("image,label,left,top,right,bottom\ngoose.jpg,goose,0,0,9999,9999\n")
    return "--boxes", table, "--box-images", SAMPLES


@pytest.mark.slow
def test_the_pointing_game_takes_a_layer_and_names_it(tmp_path: Path, boxes: tuple[object, ...]) -> None:
    asked = ("evaluate", "pointing", *boxes, "--methods", "grad_cam,excitation_backprop,center", "--device", "cpu")

    def layers(out: Path, *options: object) -> dict[str, str]:
        run(*asked, "--out", out, *options)
        return EvaluationReport.model_validate_json((out / "pointing.json").read_text()).settings["layers"]

    assert layers(tmp_path / "own") == {"grad_cam": "features", "excitation_backprop": "features.13"}
    named = {"grad_cam": "features.16", "excitation_backprop": "features.16"}
    assert layers(tmp_path / "named", "--layer", "features.16") == named
    first = json.loads((tmp_path / "named" / "pointing" / "grad_cam-0.jsonl").read_text().splitlines()[0])
    assert first["settings"]["layer"] == "features.16"


@pytest.mark.slow
def test_a_log_of_another_layer_is_refused_and_of_methods_that_read_none_goes_on(
    tmp_path: Path, boxes: tuple[object, ...]
) -> None:
    asked = ("evaluate", "pointing", *boxes, "--out", tmp_path / "out", "--device", "cpu")
    run(*asked, "--methods", "center,grad_cam")
    run(*asked, "--methods", "center", "--layer", "features.16")
    refused = CliRunner().invoke(app, [str(one) for one in (*asked, "--methods", "grad_cam", "--layer", "features.16")])
    assert refused.exit_code == 2
    assert "other settings (layer)" in refused.output


@pytest.mark.slow
def test_a_layer_that_there_is_not_is_told_before_any_map(tmp_path: Path, boxes: tuple[object, ...]) -> None:
    asked = ("evaluate", "pointing", *boxes, "--methods", "center,grad_cam", "--layer", "features.81")
    refused = CliRunner().invoke(app, [str(one) for one in (*asked, "--out", tmp_path / "out", "--device", "cpu")])
    assert refused.exit_code == 2
    assert "features.18" in refused.output
    assert not list((tmp_path / "out").rglob("*.jsonl"))
