"""Networks of open_clip, built from a small config with random weights: no hub is reached."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from ep_core import ExtremalSpec, explain
from ep_core.errors import InvalidInput, ModelUnavailable, UnknownName
from ep_core.models import Classifier, list_models, load_model
from ep_core.models.registry import find_entry
from ep_core.models.sources.describe import describe
from ep_core.models.sources.survey import survey_model

pytestmark = pytest.mark.slow

SIZE = 32
LABELS = ("cat", "dog", "school bus")
CONFIG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": SIZE, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
PREPROCESSING = {"mean": [0.5] * 3, "std": [0.4] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}


def write(folder: Path, *, preprocessing: dict[str, object] = PREPROCESSING, **config: object) -> Path:
    """Write a folder as open_clip has it on the Hub."""
    folder.mkdir()
    told = {"model_cfg": CONFIG | config, "preprocess_cfg": preprocessing | {"size": SIZE}}
    (folder / "open_clip_config.json").write_text(json.dumps(told))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = open_clip.create_model(f"local-dir:{folder}")
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("open_clip") / "tiny")


@pytest.fixture
def load(write_list) -> Callable[[Path], Classifier]:
    """A function that loads the network of a folder, with three classes."""
    return lambda folder: load_model("mine", device="cpu", models_file=write_list(entry(folder)))


def entry(folder: Path | str) -> str:
    return f'open_clip = "{folder}"\nlabels = {list(LABELS)}\ntemplate = "a photo of a {{}}"'


def scores(classifier: Classifier, image: Image.Image) -> torch.Tensor:
    tensor, _ = classifier.preprocess(image)
    with classifier.frozen() as network, torch.no_grad():
        return network(tensor)


def theirs(folder: Path, image: Image.Image) -> torch.Tensor:
    network, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    texts = open_clip.get_tokenizer(f"local-dir:{folder}")([f"a photo of a {label}" for label in LABELS])
    with torch.no_grad():
        return network.eval().get_logits(transform(image)[None], texts)[0]


@pytest.mark.parametrize("config", [{}, {"init_logit_bias": -3, "custom_text": True}], ids=["CLIP", "SigLIP"])
@pytest.mark.parametrize("mode", ["shortest", "squash"])
def test_scores_are_the_librarys_own(load, tmp_path, photograph, config, mode):
    folder = write(tmp_path / "tiny", preprocessing=PREPROCESSING | {"resize_mode": mode}, **config)
    ours = scores(load(folder), photograph)
    torch.testing.assert_close(ours, theirs(folder, photograph), atol=1e-4, rtol=0)
    assert ours.std() > 0.001
    outputs = describe(find_entry(f"open_clip:{folder}")).outputs
    assert outputs == ("sigmoid" if config else None)


def test_it_is_explained(load, folder, photograph):
    classifier = load(folder)
    found = explain(classifier, photograph, ExtremalSpec(target="dog", areas=(0.2,), iterations=4))
    assert found.curve[0].measured_area == pytest.approx(0.2, abs=0.1)
    embeddings = classifier.network.text_embeddings(["a photo of a dog"])
    directions = torch.nn.functional.normalize(classifier.network.head.weight, dim=1)
    torch.testing.assert_close(embeddings[0], directions[1])


def test_its_card_and_layers_are_made_without_the_weights(load, folder, write_list, caplog):
    layers = load(folder).layers
    (card,) = list_models(write_list(entry(folder)))
    assert (card.source, card.labels, card.input_size, card.weights) == ("open_clip", LABELS, (SIZE, SIZE), "tiny")
    with caplog.at_level(logging.WARNING):
        assert survey_model(card, models_file=write_list(entry(folder))) == (layers, ("blur", "fade", "drop"))
    assert layers
    assert not caplog.records  # of weights that nobody asked for


def test_a_checkpoint_takes_the_place_of_the_weights(load, folder, tmp_path, write_list, photograph):
    torch.manual_seed(5)
    trained = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    torch.save({"epoch": 3, "state_dict": trained.state_dict()}, tmp_path / "w.pt")
    path = write_list(f'{entry(folder)}\nfile = "w.pt"')
    found = load_model("mine", device="cpu", models_file=path)
    assert not torch.allclose(scores(found, photograph), scores(load(folder), photograph), atol=0.01)
    torch.testing.assert_close(found.network.tower.conv1.weight, trained.visual.conv1.weight)
    torch.save(trained, tmp_path / "w.pt")
    with pytest.raises(ModelUnavailable, match=r"weights_only|Weights only"):
        load_model("mine", device="cpu", models_file=write_list(f'{entry(folder)}\nfile = "w.pt"'))


def test_a_folder_without_weights_is_refused(load, tmp_path):
    folder = write(tmp_path / "tiny")
    (folder / "open_clip_model.safetensors").rename(folder / "open_clip_pytorch_model.bin")
    with pytest.raises(
        ModelUnavailable, match=r"no open_clip_model\.safetensors.*open_clip_pytorch_model\.bin is read"
    ):
        load(folder)


def test_weights_of_its_own_architectures_are_described_by_their_tag():
    described = describe(find_entry("open_clip:ViT-B-32/laion2b_s34b_b79k"))
    assert (len(described.labels), described.weights) == (1000, "laion2b_s34b_b79k")
    assert (described.preprocessing.input_size, described.preprocessing.resize) == ((224, 224), 224)
    siglip = describe(find_entry("open_clip:ViT-B-16-SigLIP/webli"))
    assert (siglip.preprocessing.resize, siglip.preprocessing.mean, siglip.outputs) == (None, (0.5,) * 3, "sigmoid")


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("ViT-B-33/openai", UnknownName, r"did you mean 'open_clip:ViT-B-32'"),
        ("ViT-B-32", UnknownName, "ViT-B-32 needs weights: use openai, laion400m_e31"),
        ("ViT-B-32/laion2b_s34b", UnknownName, "has no weights 'laion2b_s34b': use openai"),
        ("ViT-B-32/openai", InvalidInput, "another activation than ViT-B-32 has: name ViT-B-32-quickgelu"),
        ("coca_ViT-B-32/laion2b_s13b_b90k", InvalidInput, "writes captions"),
    ],
)
def test_what_open_clip_does_not_have_is_told(name, error, said):
    with pytest.raises(error, match=said):
        describe(find_entry(f"open_clip:{name}"))


@pytest.mark.parametrize(
    ("keys", "said"),
    [('weights = "openai"', "has its own"), ('revision = "main"', "only the Hub has revisions")],
)
def test_a_folder_has_its_own_weights(folder, write_list, keys, said):
    with pytest.raises(InvalidInput, match=said):
        list_models(write_list(f"{entry(folder)}\n{keys}"))


def test_a_resize_without_an_equal_is_refused(tmp_path):
    folder = write(tmp_path / "tiny", preprocessing=PREPROCESSING | {"resize_mode": "longest"})
    with pytest.raises(InvalidInput, match="resize mode 'longest'"):
        describe(find_entry(f"open_clip:{folder}"))


def test_a_folder_of_something_else_is_told(tmp_path):
    with pytest.raises(ModelUnavailable, match="no folder of an open_clip network"):
        describe(find_entry(f"open_clip:{tmp_path}"))


def test_open_clip_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(ModelUnavailable) as error:
        load_model("open_clip:ViT-B-32/openai", device="cpu")
    assert str(error.value) == (
        "open_clip models need the extra `open-clip`: pip install 'extremal-perturbations[open-clip]'"
    )
