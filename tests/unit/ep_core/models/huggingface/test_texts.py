"""Networks that compare images with texts: their classes are texts, and texts are targets."""

from __future__ import annotations

import pytest
import torch

from ep_core import explain
from ep_core.errors import InvalidInput
from ep_core.models import list_models, load_model
from ep_core.models.registry import find_entry
from ep_core.models.sources.describe import describe

from .loading import TEXTS, scores, theirs

pytestmark = pytest.mark.slow


def test_texts_come_from_labels_and_a_template(folders, load, photograph, tmp_path):
    path = tmp_path / "models.toml"
    path.write_text(
        f'[models.mine]\nhuggingface = "{folders}/clip"\nlabels = ["cat", "school bus"]\n'
        f'[models.theirs]\nhuggingface = "{folders}/clip"\nlabels = ["cat", "bus"]\ntemplate = "{{}}, a photo"\n'
        f'[models.texts]\nhuggingface = "{folders}/clip"\ntexts = ["cat, a photo", "bus, a photo"]'
    )
    mine, others, texts = (load_model(name, device="cpu", models_file=path) for name in ("mine", "theirs", "texts"))
    assert mine.labels == ("cat", "school bus")
    torch.testing.assert_close(scores(mine, photograph), scores(load("clip"), photograph)[:, [0, 2]])
    torch.testing.assert_close(scores(others, photograph), scores(texts, photograph))
    assert (others.labels, texts.labels) == (("cat", "bus"), ("cat, a photo", "bus, a photo"))
    assert mine.weights_digest != texts.weights_digest


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_other_texts_can_be_embedded_later(load, name):
    network = load(name).network
    found = network.text_embeddings(["a dog", "a photo of a cat"])
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    directions = torch.nn.functional.normalize(network.head.weight, dim=1)
    torch.testing.assert_close(found, directions[[1, 0]])


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_a_text_is_explained_against_others_and_by_itself(load, folders, photograph, name):
    """Its scores are the library's, as those of the texts of the list are."""
    model = load(name)
    text, *against = TEXTS
    cheap = {"areas": (0.3,), "iterations": 2}
    found = explain(model, photograph, {"target": {"text": text, "against": against}, **cheap})
    expected = theirs(folders / name, photograph, "pil")
    assert found.scores.original == pytest.approx(float(expected[0, 0]), abs=1e-3)
    probability = expected.softmax(1) if name == "clip" else expected.sigmoid()
    assert found.scores.original_probability == pytest.approx(float(probability[0, 0]), abs=1e-3)
    assert found.target.model_dump() == {"kind": "text", "index": None, "label": text}
    assert found.contrast.report.rival.label in against
    alone = explain(model, photograph, {"target": {"text": text}, **cheap})
    assert alone.scores.original == pytest.approx(found.scores.original, abs=1e-4)
    assert (alone.scores.original_probability is None) == (name == "clip")
    assert alone.contrast is None
    assert [card.targets for card in list_models(folders / "models.toml")][2:] == 2 * [
        ("class", "contrast", "text", "similar")
    ]


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("vit", {"text": "a dog"}, "'vit' doesn't compare images with texts: name a class"),
        ("clip", {"text": "a dog", "against": ["a dog"]}, "a text against itself"),
        ("clip", {"text": "a dog", "against": ["a cat", "a cat"]}, "each once"),
    ],
)
def test_texts_that_mean_nothing_are_refused(load, photograph, name, target, said):
    with pytest.raises(InvalidInput, match=said):
        explain(load(name), photograph, {"target": target})


def test_without_texts_the_classes_are_imagenets(folders):
    described = describe(find_entry(f"huggingface:{folders}/clip"))
    assert (len(described.labels), described.labels[0]) == (1000, "tench")


def test_texts_need_a_network_that_reads_them(folders, write_list):
    with pytest.raises(InvalidInput, match="fixed classes: texts and template go with CLIP and SigLIP"):
        list_models(write_list(f'huggingface = "{folders}/vit"\ntexts = ["a cat"]'))
