"""Networks without a head, and towers of images: a second picture is the target."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from ep_core import explain
from ep_core.errors import InvalidInput
from ep_core.models import list_models, load_model
from tests.unit.ep_core.models.tiny_transformers import EMBEDDINGS

from .loading import edit

pytestmark = pytest.mark.slow
SIMILAR = {"target": {"similar_to": "target_image"}, "areas": (0.3,), "iterations": 2}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the networks without a head."""
    root = tmp_path_factory.mktemp("embeddings")
    with torch.random.fork_rng():
        for name, make in EMBEDDINGS.items():
            torch.manual_seed(1)
            make(root / name)
    return root


def cosine(folder: Path, *pictures: Image.Image) -> float:
    """The cosine of two pictures' embeddings by transformers' own classes."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    inputs = processor(list(pictures), return_tensors="pt")
    model = transformers.AutoModel.from_pretrained(folder)
    with torch.no_grad():
        one, other = _embeddings(model, inputs, folder.name)
    return float((one @ other) / (one.norm() * other.norm()))


def _embeddings(model: transformers.PreTrainedModel, inputs: dict[str, Tensor], name: str) -> Tensor:
    if name in ("clip", "siglip"):
        return model.get_image_features(**inputs).pooler_output
    found = model(**inputs)
    return found.pooler_output.flatten(1) if name == "convnext" else found.last_hidden_state[:, 0]


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_the_score_is_the_cosine_of_the_librarys_embeddings(bare, name, sample):
    model = load_model(f"huggingface:{bare / name}", device="cpu")
    goose, bear = sample("goose").convert("RGB"), sample("black_bear").convert("RGB")
    found = explain(model, goose, SIMILAR, target_picture=bear)
    assert (model.head, model.labels, model.targets) == ("embedding", (), ("similar",))
    assert found.scores.original == pytest.approx(cosine(bare / name, goose, bear), abs=1e-4)
    assert model.weights_digest == load_model(f"huggingface:{bare / name}", device="cpu").weights_digest


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_the_tower_of_images_compares_two_pictures(load, folders, name, sample):
    goose, bear = sample("goose").convert("RGB"), sample("black_bear").convert("RGB")
    model = load(name)
    found = explain(model, goose, SIMILAR, target_picture=bear)
    assert found.scores.original == pytest.approx(cosine(folders / name, goose, bear), abs=1e-4)
    seen = model.resembling(bear)
    assert [layer.name for layer in seen.layers] == [layer.name for layer in model.layers]


def test_a_card_tells_that_it_has_no_classes(bare, write_list):
    (card,) = list_models(write_list(f'huggingface = "{bare / "dinov2"}"'))
    assert (card.labels, card.outputs, card.targets) == ((), "embedding", ("similar",))


def test_weights_that_are_needed_must_be_there(bare):
    file = bare / "vit" / "model.safetensors"
    whole = load_file(file)
    save_file({key: value for key, value in whole.items() if "layernorm.weight" not in key}, file, {"format": "pt"})
    try:
        with pytest.raises(Exception, match="lack 1 of those of ViTModel"):
            load_model(f"huggingface:{bare / 'vit'}", device="cpu")
    finally:
        save_file(whole, file, {"format": "pt"})


@pytest.mark.parametrize(
    ("folder", "keys", "said"),
    [
        ("bare", 'labels = ["a"]', "has no head, its outputs are embeddings"),
        ("bare", 'outputs = "softmax"', "has no head, its outputs are embeddings"),
        ("classes", 'outputs = "embedding"', "ends in scores: leave out outputs"),
    ],
)
def test_a_list_that_says_otherwise_is_refused(bare, folders, write_list, folder, keys, said):
    place = bare / "dinov2" if folder == "bare" else folders / "vit"
    with pytest.raises(InvalidInput, match=said):
        list_models(write_list(f'huggingface = "{place}"\n{keys}'))


def test_a_network_of_another_kind_names_those_without_a_head(copied):
    folder = copied("vit")
    edit(folder, architectures=["BertModel"])
    with pytest.raises(InvalidInput, match="without a head ViTModel, DeiTModel"):
        load_model(f"huggingface:{folder}", device="cpu")
