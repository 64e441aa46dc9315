"""The committed small networks: they load without a hub, know held-out digits, and their masks lie on the right one."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("transformers")

from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForImageClassification, AutoModelForObjectDetection
from transformers import AutoModelForSemanticSegmentation as AutoSegmenter

from ep_core import load_model
from ep_core.models.frame import Frame
from examples.digits.pointing import MODELS, SEED, TARGETS, located, pointed
from examples.digits.recipe import inputs
from examples.digits.scenes import SIZE, WORDS, Digit, Painter, scenes_of_two
from examples.digits.train import RECIPES

FOLDER = MODELS.parent / "models"
AUTO = {
    "vit": AutoModelForImageClassification,
    "yolos": AutoModelForObjectDetection,
    "segformer": AutoSegmenter,
    "clip": AutoModel,
}
"""Each kind's class in transformers, without our loaders."""
COMMITTED = sorted(folder.name for folder in FOLDER.iterdir())


@pytest.mark.parametrize("kind", COMMITTED)
def test_files_are_small_and_in_half_precision(kind: str) -> None:
    weights = load_file(FOLDER / kind / "model.safetensors")
    assert {weight.dtype for weight in weights.values() if weight.is_floating_point()} == {torch.float16}
    assert (FOLDER / kind / "model.safetensors").stat().st_size < 2**20


@pytest.mark.parametrize("kind", COMMITTED)
def test_a_recipe_saves_the_committed_configuration(kind: str, tmp_path: Path) -> None:
    recipe = RECIPES[kind]()
    recipe.save(recipe.network(None), tmp_path)
    for name in ("config.json", "preprocessor_config.json"):
        saved, committed = (json.loads((folder / name).read_text()) for folder in (tmp_path, FOLDER / kind))
        versions = {"transformers_version": committed.get("transformers_version")}
        assert saved | versions == committed | versions


@pytest.mark.slow
@pytest.mark.parametrize("kind", COMMITTED)
def test_figures_on_held_out_scenes_are_those_of_the_readme(kind: str) -> None:
    network = AUTO[kind].from_pretrained(FOLDER / kind, dtype=torch.float32).eval()
    figures = RECIPES[kind]().figures(network, Painter("held_out", 99))
    lines = (MODELS.parent / "README.md").read_text().splitlines()
    told = next(line for line in lines if line.startswith(f"| `digits-{kind}`") and "%" in line)
    percentages = [int(word.strip("%")) for word in told.replace(",", " ").split() if word.endswith("%")]
    assert [100 * value for value in figures.values()] == pytest.approx(percentages, abs=4)


@pytest.mark.parametrize("name", ["digits-vit", "digits-clip"])
def test_loaded_networks_compute_in_single_precision(name: str) -> None:
    model = load_model(name, models_file=MODELS)
    assert {parameter.dtype for parameter in model.network.parameters()} == {torch.float32}
    assert model.labels == WORDS


def test_the_list_preprocesses_as_training_did() -> None:
    model = load_model("digits-vit", models_file=MODELS)
    (scene,) = scenes_of_two("held_out", SEED, 1)
    found, _ = model.preprocess(Image.fromarray(scene.pixels))
    torch.testing.assert_close(found, inputs([scene]))


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_masks_lie_on_the_digit_that_is_asked_about(name: str) -> None:
    model = load_model(name, models_file=MODELS)
    found = [one for scene in scenes_of_two("held_out", SEED, 1) for one in pointed(model, scene)]
    assert fmean(one.share for one in found) > 1.5 * fmean(one.chance for one in found)
    assert fmean(one.share for one in found) > fmean(one.share_of_other for one in found)


def test_shares_and_hits_by_hand() -> None:
    mask = np.zeros((SIZE, SIZE))
    mask[8:16, 10:20] = 1  # 80 pixels
    frame = Frame((SIZE, SIZE), (SIZE, SIZE), (0, 0, SIZE, SIZE))
    digit, other = Digit(1, "red", (13, 11, 30, 30)), Digit(2, "blue", (0, 0, 2, 2))  # grown: from (10, 8); up to 5
    on_it, on_other = located(mask, frame, digit, other), located(mask, frame, other, digit)
    assert (on_it.share, on_it.share_of_other, on_it.hit) == (1, 0, True)
    assert (on_other.share, on_other.share_of_other, on_other.hit) == (0, 1, False)
    assert on_it.chance == pytest.approx(23 * 25 / SIZE**2)
    half = located(mask, frame, Digit(1, "red", (18, 3, 30, 20)), other)  # grown: from column 15
    assert half.share == pytest.approx(0.5)
