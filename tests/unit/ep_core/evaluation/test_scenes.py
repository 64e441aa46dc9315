"""A network on a whole annotated picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ep_core.errors import InvalidInput
from ep_core.evaluation.data.annotations import DataSet, Scene, input_scores, whole_input
from ep_core.models import Classifier, Preprocessing


def small(network: nn.Module) -> Classifier:
    preprocessing = Preprocessing(input_size=(32, 32), mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 0.125))
    return Classifier(network, name="small", preprocessing=preprocessing)


@pytest.fixture
def any_size() -> Classifier:
    return small(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)))


@pytest.fixture
def own_size() -> Classifier:
    return small(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2)))


def test_the_shorter_side_becomes_the_models(any_size: Classifier, sample: Callable[[str], Image.Image]) -> None:
    image = sample("goose").resize((100, 64))
    x, frame = whole_input(any_size, image)
    assert x.shape == (1, 3, 32, 50)
    assert (frame.image_size, frame.input_size, frame.box) == ((64, 100), (32, 50), (0, 0, 100, 64))
    x, frame = whole_input(any_size, image.resize((64, 100)))
    assert x.shape == (1, 3, 50, 32)


def test_pixels_are_normalised_as_the_model_wants_them(any_size: Classifier) -> None:
    image = Image.new("RGB", (40, 32), (255, 0, 51))
    x, _ = whole_input(any_size, image)
    torch.testing.assert_close(x[0, :, 7, 9], torch.tensor([1.0, -2.0, (0.2 - 0.5) / 0.125]))


def test_stretch_gives_the_models_own_size(any_size: Classifier, sample: Callable[[str], Image.Image]) -> None:
    x, frame = whole_input(any_size, sample("goose").resize((100, 64)), "stretch")
    assert x.shape == (1, 3, 32, 32)
    assert frame.box == (0, 0, 100, 64)


def test_other_fits_and_threads_of_pixels_are_refused(any_size: Classifier) -> None:
    with pytest.raises(InvalidInput, match="fit 'crop' is unknown"):
        whole_input(any_size, Image.new("RGB", (40, 32)), "crop")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="too elongated"):
        whole_input(any_size, Image.new("RGB", (1, 60_000)))


def test_a_network_that_needs_its_size_says_so(own_size: Classifier) -> None:
    image = Image.new("RGB", (40, 32))
    with pytest.raises(InvalidInput, match=r"takes no input of 32 x 40 .*--fit stretch"):
        input_scores(own_size, whole_input(own_size, image)[0])
    assert input_scores(own_size, whole_input(own_size, image, "stretch")[0]).shape == (2,)


def test_a_picture_of_another_size_than_its_annotations_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (40, 30), 7).save(path)
    assert Scene("a", path, (30, 40), {}).load().getpixel((3, 4)) == (7, 7, 7)
    with pytest.raises(InvalidInput, match="is 40 x 30, but its annotations are for 30 x 40"):
        Scene("a", path, (40, 30), {}).load()


def test_the_first_scenes_are_of_those_that_show_a_category() -> None:
    def scene(name: str, *shown: str) -> Scene:
        return Scene(name, Path(name), (1, 1), dict.fromkeys(shown, lambda: np.ones((1, 1), dtype=bool)))

    data = DataSet("t", ("cat", "dog"), (scene("a", "dog"), scene("b", "cat", "dog"), scene("c", "cat")), (0.1,))
    assert [one.name for one in data.first(1, ["cat"]).scenes] == ["b"]
    assert [one.name for one in data.first(None, ["cat"]).scenes] == ["b", "c"]
