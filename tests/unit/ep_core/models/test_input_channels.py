"""Networks of one channel (grey), of four (RGBA) and of others are explained like those of RGB."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ep_core import ChannelsSpec, CompareSpec, ExtremalSpec, compare, explain, explain_channels
from ep_core.errors import InvalidInput
from ep_core.models import Classifier, Preprocessing, list_models, load_model
from ep_core.models.sources.survey import survey_model
from ep_core.schemas.specs import METHODS
from tests.networks import SIDE, plain

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
QUICK = ExtremalSpec(target=0, areas=(0.2,), iterations=2).masks_only()
GREY = Preprocessing((SIDE, SIDE), mean=(0.5,), std=(0.25,))


def preprocessing(channels: int) -> Preprocessing:
    return Preprocessing((SIDE, SIDE), mean=(0.5,) * channels, std=(0.25,) * channels)


def model(channels: int, dtype: torch.dtype = torch.float32) -> Classifier:
    return Classifier(plain(channels).to(dtype), preprocessing=preprocessing(channels))


def image(channels: int) -> Tensor:
    return torch.randn(1, channels, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("channels", [1, 2, 4, 5])
def test_a_tensor_is_explained(channels: int) -> None:
    found = explain(model(channels), image(channels), ExtremalSpec(target=0, areas=(0.2,), iterations=2))
    assert 0.15 < found.curve[0].measured_area < 0.25
    assert found.scores.original == pytest.approx(plain(channels)(image(channels))[0, 0].item(), abs=1e-5)
    assert found.image.mode == "RGB"
    assert dict(found.files())


OF_ANY_NETWORK = [name for name in METHODS if not name.startswith("attention")]


@pytest.mark.parametrize("perturbation", ["blur", "fade"])
@pytest.mark.parametrize("channels", [1, 4, 5])
def test_every_method_answers(channels: int, perturbation: str) -> None:
    spec = CompareSpec(
        target=0, areas=(0.2,), iterations=1, samples=8, methods=OF_ANY_NETWORK, perturbation=perturbation, seed=1
    )
    found = compare(model(channels), image(channels), spec).report()
    assert {one.method: one.unavailable for one in found.methods if one.unavailable} == {}


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 4, 5])
def test_its_channels_are_explained_and_inverted(channels: int) -> None:
    spec = ChannelsSpec(target=0, areas=(2, 8), iterations=2, invert=True)
    found = explain_channels(model(channels), image(channels), spec)
    assert found.curve[1].preserve == pytest.approx(found.scores.original, rel=0.02)
    inversion = found.inversions["full"]
    assert inversion.shape == (3, SIDE, SIDE)
    assert inversion.std() > 0.02
    assert torch.equal(inversion[0], inversion[1]) == (channels != 4)
    assert "inversions/comparison.png" in dict(found.files())


def test_a_grey_picture_is_what_pillow_makes_of_it() -> None:
    seen, _ = GREY.preprocess(PICTURE, "stretch")
    expected = np.asarray(PICTURE.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    torch.testing.assert_close(seen, (torch.from_numpy(expected.copy())[None, None] / 255 - 0.5) / 0.25)


def test_a_picture_is_explained_by_a_grey_network() -> None:
    found = explain(model(1), PICTURE, QUICK)
    assert np.array_equal(np.asarray(found.image), PIXELS)
    x, _ = GREY.preprocess(PICTURE)
    assert found.scores.original == pytest.approx(plain(1)(x)[0, 0].item(), abs=1e-5)


def test_pictures_are_opaque_to_a_network_of_rgba() -> None:
    through = Image.new("RGBA", PICTURE.size, (10, 20, 30, 0))
    wide = Preprocessing((SIDE, SIDE), resize=8, mean=(0, 0, 0, 0.5), std=(1, 1, 1, 0.25))  # padded
    seen, _ = wide.preprocess(through)
    assert (seen[0, 3] == 2).all()
    assert (seen[0, :3, SIDE // 2, SIDE // 2] == 1).all()
    assert wide.black.flatten().tolist() == [0, 0, 0, 2]


def test_tensors_are_shown_as_pictures() -> None:
    grey = np.asarray(GREY.to_image(torch.full((1, 1, 2, 2), 2.0)))
    assert grey.tolist() == [[[255] * 3] * 2] * 2
    clear = torch.tensor([1.0, 0, 0, 0])[None, :, None, None]
    assert np.asarray(Preprocessing((1, 1), mean=(0,) * 4, std=(1,) * 4).to_image(clear)).tolist() == [[[255, 0, 0]]]
    two = torch.tensor([1.0, 0.2])[None, :, None, None]
    assert np.asarray(Preprocessing((1, 1), mean=(0, 0), std=(1, 1)).to_image(two)).tolist() == [[[153, 153, 153]]]


def test_pictures_have_no_two_channels() -> None:
    with pytest.raises(InvalidInput, match=r"takes 2 channels, which no picture has .* a preprocessed 1 x 2 x H x W"):
        explain(model(2), PICTURE, QUICK)


@pytest.mark.parametrize(("takes", "given"), [(1, 3), (3, 1)])
def test_a_tensor_of_other_channels_is_refused(takes: int, given: int) -> None:
    words = {1: "1 channel", 3: "3 channels"}
    said = rf"takes images of {words[takes]} .*, not of {given}: \(1, {given}, 32, 32\)"
    with pytest.raises(InvalidInput, match=said) as caught:
        explain(model(takes), image(given), QUICK)
    assert caught.value.field == "image"


def test_a_network_of_other_channels_than_its_preprocessing_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"fails on an input of 2 x 3 x 32 x 32: .*1 channel"):
        Classifier(plain(1), preprocessing=Preprocessing((SIDE, SIDE)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_grey_network_of_any_precision(dtype: torch.dtype) -> None:
    found = explain(model(1, dtype), PICTURE, QUICK)
    assert math.isfinite(found.curve[0].preserve)
    spec = CompareSpec(target=0, areas=(0.2,), iterations=1, samples=8)
    answered = {one.method for one in compare(model(1, dtype), PICTURE, spec).report().methods if not one.unavailable}
    assert answered >= {"gradient", "rise", "occlusion", "lime", "extremal"}


def test_a_model_list_has_grey_networks(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        '[models.grey]\nentry_point = "tests.networks:network"\nkwargs = { kind = "grey" }\nlabels = ["a", "b", "c"]\n'
        "preprocessing = { input_size = [32, 32], mean = [0.5], std = [0.25] }\n"
    )
    (card,) = list_models(path)
    assert card.warnings == ()
    assert load_model("grey", models_file=path).preprocessing == GREY


def test_as_many_means_as_stds(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text('[models.a]\ntimm = "resnet18"\npreprocessing = { mean = [0.5], std = [0.5, 0.5] }')
    with pytest.raises(InvalidInput, match=r"models\.a\.preprocessing: mean has 1 values and std 2"):
        list_models(path)


def test_the_layers_of_a_librarys_grey_network(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    path = tmp_path / "models.toml"
    path.write_text(
        '[models.grey]\ntimm = "resnet18"\nfile = "grey.pth"\n'
        "kwargs = { in_chans = 1, num_classes = 3 }\npreprocessing = { mean = [0.5], std = [0.25] }\n"
    )
    (card,) = list_models(path)
    found = survey_model(card, models_file=path)
    assert found is not None
    assert found.layers[0].name == "conv1"
