"""Detectors and segmenters of Hugging Face, tiny and of seeded weights: they find what they find there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import transformers
from PIL import Image

from ep_core import explain
from ep_core.errors import InvalidInput
from ep_core.models import Classifier, list_models, load_model
from ep_core.models.sources.huggingface.detection import Queries
from ep_core.models.sources.survey import survey_model
from tests.unit.ep_core.models.tiny_transformers import segformer, yolos
from tests.unit.ep_core.token_networks import SIDE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("places")
    with torch.random.fork_rng():
        for make in (yolos, segformer):
            torch.manual_seed(1)
            make(root / make.__name__)
    entries = [f'[models.{name}]\nhuggingface = "{name}"\n' for name in ("yolos", "segformer")]
    (root / "models.toml").write_text("".join(entries))
    return root / "models.toml"


def inside(model: Classifier, image: Image.Image):
    """Return what the network in a detector or a segmenter gives."""
    x, _ = model.preprocess(image)
    with model.frozen() as network, torch.no_grad():
        return network.network(x)


def test_a_detector_finds_what_it_finds_there(models_file: Path, photograph: Image.Image) -> None:
    model = load_model("yolos", device="cpu", models_file=models_file)
    found = inside(model, photograph)
    folder = models_file.parent / "yolos"
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    square = {"height": SIDE, "width": SIDE}
    inputs = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")(
        photograph, size=square, do_pad=False, return_tensors="pt"
    )
    with torch.no_grad():
        outputs = transformers.AutoModelForObjectDetection.from_pretrained(folder)(**inputs)
    (theirs,) = processor.post_process_object_detection(outputs, threshold=0, target_sizes=[(1, 1)])
    confidence, label = found.scores[0].sigmoid().max(dim=1)
    torch.testing.assert_close(confidence, theirs["scores"], atol=1e-4, rtol=0)
    assert torch.equal(label, theirs["labels"])
    torch.testing.assert_close(found.boxes[0, :, 0], theirs["boxes"].clamp(0, 1), atol=1e-4, rtol=0)


def test_a_segmenter_sees_what_it_sees_there(models_file: Path, photograph: Image.Image) -> None:
    model = load_model("segformer", device="cpu", models_file=models_file)
    folder = models_file.parent / "segformer"
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    with torch.no_grad():
        outputs = transformers.AutoModelForSemanticSegmentation.from_pretrained(folder)(
            **processor(photograph, return_tensors="pt")
        )
    (theirs,) = processor.post_process_semantic_segmentation(outputs)
    x, _ = model.preprocess(photograph)
    assert torch.equal(model.network.assigned(x)[0], theirs - 1)  # without the background
    assert len(theirs.unique()) > 1
    assert model.labels == ("cat", "dog")


@pytest.mark.parametrize("width", [3, 4], ids=["sigmoids", "a softmax with no object"])
def test_confidences_are_told_by_the_number_of_logits(width: int) -> None:
    logits = torch.randn(2, 5, width, generator=torch.Generator().manual_seed(0))
    model = torch.nn.Module()
    model.config = SimpleNamespace(num_labels=3, id2label={0: "cat", 1: "N/A", 2: "dog"})
    boxes = torch.tensor([0.5, 0.4, 0.2, 1.0]).expand(2, 5, 4)
    model.forward = lambda pixel_values: SimpleNamespace(logits=logits, pred_boxes=boxes)
    found = Queries(model)(torch.zeros(2, 3, 8, 8))
    p = logits.sigmoid() if width == 3 else logits.softmax(dim=2)
    torch.testing.assert_close(found.scores.sigmoid(), p[:, :, [0, 2]])
    torch.testing.assert_close(found.boxes[0, 0, 0], torch.tensor([0.4, 0.0, 0.6, 0.9]))  # cut off at the edge


def test_cards_and_layers_are_those_of_the_network(models_file: Path) -> None:
    for card in list_models(models_file):
        model = load_model(card.name, device="cpu", models_file=models_file)
        assert (card.targets, card.labels, card.outputs) == (model.targets, model.labels, model.head)
        assert card.input_size == model.input_size == (SIDE, SIDE)
        surveyed = survey_model(card, models_file=models_file)
        assert surveyed is not None
        assert surveyed.layers == model.layers
        assert any("channels" in (layer.default_for or ()) for layer in model.layers)


def test_each_is_explained(models_file: Path, photograph: Image.Image) -> None:
    quick = {"areas": [0.2], "iterations": 4}
    model = load_model("segformer", device="cpu", models_file=models_file)
    seen = model.labels[int(model.network.assigned(model.preprocess(photograph)[0]).max())]
    found = explain(model, photograph, {"target": {"segment": seen}, **quick})
    assert found.target.label == f"{seen} within its pixels"
    model = load_model("yolos", device="cpu", models_file=models_file)
    assert explain(model, photograph, {"target": "dog", **quick}).target.kind == "class"
    with pytest.raises(InvalidInput, match="its best match there"):
        explain(model, photograph, {"target": {"box": [0, 0, 5, 5], "label": "dog"}, **quick})


def test_texts_are_refused(models_file: Path) -> None:
    path = models_file.with_name("texts.toml")
    path.write_text('[models.mine]\nhuggingface = "yolos"\ntexts = ["a cat"]\n')
    with pytest.raises(InvalidInput, match="fixed classes"):
        list_models(path)
