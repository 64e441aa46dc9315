"""Networks of Hugging Face, tiny and of seeded weights, are read from their folders and score as they do there."""

from __future__ import annotations

import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from ep_core import ExtremalSpec, explain
from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models import list_models, load_model
from ep_core.models.registry import find_entry
from ep_core.models.sources.describe import describe
from ep_core.models.sources.survey import survey_model, survey_version
from tests.unit.ep_core.models.tiny_transformers import FOLDERS, vit
from tests.unit.ep_core.token_networks import SIDE

from .loading import TEXTS, edit, scores, theirs

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", FOLDERS)
def test_scores_are_the_librarys_own(load, folders, photograph, name):
    ours = scores(load(name), photograph)
    torch.testing.assert_close(ours, theirs(folders / name, photograph, "pil"), atol=1e-4, rtol=0)
    # torchvision rounds to whole levels in a resize: a level is 1 / 255.
    torch.testing.assert_close(ours, theirs(folders / name, photograph, "torchvision"), atol=0.02, rtol=0)
    assert ours.std() > 0.001


@pytest.mark.parametrize("name", FOLDERS)
def test_each_is_explained(load, photograph, name):
    classifier = load(name)
    assert classifier.labels == (TEXTS if name in ("clip", "siglip") else ("cat", "dog", "school bus"))
    found = explain(classifier, photograph, ExtremalSpec(target=1, areas=(0.2,), iterations=4))
    assert found.curve[0].measured_area == pytest.approx(0.2, abs=0.1)
    assert found.target.label == classifier.labels[1]


def test_cards_are_made_without_the_weights(folders):
    cards = {card.name: card for card in list_models(folders / "models.toml")}
    assert {card.source for card in cards.values()} == {"huggingface"}
    assert {card.input_size for card in cards.values()} == {(SIDE, SIDE)}
    assert (cards["vit"].labels, cards["vit"].weights) == (("cat", "dog", "school bus"), "vit")
    assert cards["clip"].labels == TEXTS


@pytest.mark.parametrize("name", FOLDERS)
def test_layers_are_found_without_the_weights(load, folders, name):
    card = next(card for card in list_models(folders / "models.toml") if card.name == name)
    assert survey_model(card, models_file=folders / "models.toml").layers == load(name).layers


def test_another_config_in_the_folder_asks_for_another_survey(copied, write_list):
    folder = copied("vit")
    path = write_list('huggingface = "vit"')
    (card,) = list_models(path)
    before = survey_version(card, models_file=path)
    edit(folder, hidden_size=64)
    assert survey_version(card, models_file=path) != before


def test_what_the_network_was_trained_with_is_told(folders, tmp_path, write_list):
    vit(tmp_path / "several", problem_type="multi_label_classification")
    path = write_list('huggingface = "several"')
    assert describe(find_entry("mine", models_file=path)).outputs == "sigmoid"
    told = {name: describe(find_entry(name, models_file=folders / "models.toml")).outputs for name in FOLDERS}
    assert told == {"vit": None, "convnext": None, "clip": None, "siglip": "sigmoid"}


def test_a_direct_name_is_a_folder(folders):
    classifier = load_model(f"huggingface:{folders}/vit", device="cpu")
    assert classifier.labels == ("cat", "dog", "school bus")


def test_weights_without_a_head_are_refused(copied):
    file = copied("vit") / "model.safetensors"
    save_file({key: value for key, value in load_file(file).items() if "classifier" not in key}, file, {"format": "pt"})
    with pytest.raises(
        ModelUnavailable, match=r"lack 2 .*\(classifier.bias, classifier.weight\), which would be random"
    ):
        load_model(f"huggingface:{file.parent}", device="cpu")


def test_weights_in_half_precision_and_in_several_files_are_read_as_float32(load, copied, photograph):
    folder = copied("vit")
    (folder / "model.safetensors").unlink()
    half = load("vit").network.model.half()
    half.save_pretrained(folder, max_shard_size="20KB")
    assert (folder / "model.safetensors.index.json").exists()
    classifier = load_model(f"huggingface:{folder}", device="cpu")
    assert {parameter.dtype for parameter in classifier.network.parameters()} == {torch.float32}
    torch.testing.assert_close(scores(classifier, photograph), scores(load("vit"), photograph), atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"architectures": ["OwlViTForObjectDetection"]}, r"a OwlViTForObjectDetection .*can be explained"),
        ({"architectures": None}, "without its class"),
        ({"model_type": "no-such"}, "can't be read: ValueError"),
    ],
    ids=["asked in words", "no class", "unknown"],
)
def test_other_networks_are_refused(copied, keys, said):
    folder = copied("vit")
    edit(folder, **keys)
    with pytest.raises((InvalidInput, ModelUnavailable), match=said):
        load_model(f"huggingface:{folder}", device="cpu")


def test_a_folder_without_a_config_is_told(tmp_path):
    with pytest.raises(ModelUnavailable, match=r"no folder of a Hugging Face network: config\.json"):
        load_model(f"huggingface:{tmp_path}", device="cpu")


def test_transformers_that_is_not_installed_is_named(folders, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelUnavailable) as error:
        load_model("vit", device="cpu", models_file=folders / "models.toml")
    assert str(error.value) == (
        "models of Hugging Face need the extra `huggingface`: pip install 'extremal-perturbations[huggingface]'"
    )
