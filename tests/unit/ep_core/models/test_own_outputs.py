"""An operator's own detectors and segmenters, by `outputs` of their entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ep_core import explain
from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models import list_models, load_model
from ep_core.models.sources.own_outputs import OwnDetections, explained_as
from tests.unit.ep_core.models.places import Colours, Quadrants, picture

ENTRY = """
entry_point = "tests.unit.ep_core.models.test_own_outputs:{name}"
labels = [{labels}]
outputs = "{outputs}"
preprocessing = {{ input_size = [32, 32], mean = [0, 0, 0], std = [1, 1, 1] }}
"""
THREE = '"red", "green", "blue"'
QUICK = {"areas": [0.2], "iterations": 3}


class Found(nn.Module):
    """Boxes and logits of the quadrants, in some form."""

    def __init__(self, form: Any) -> None:
        super().__init__()
        self.inside, self.form = Quadrants(), form

    def forward(self, images: Tensor) -> Any:
        found = self.inside(images)
        return self.form(found.boxes[:, :, 0], found.scores)


def named() -> nn.Module:
    return Found(lambda boxes, logits: {"features": logits.sum(), "logits": logits, "boxes": boxes})


def ordered() -> nn.Module:
    return Found(lambda boxes, logits: (boxes, logits))


def with_nothing() -> nn.Module:
    return Found(lambda boxes, logits: (boxes, torch.cat([logits, torch.zeros_like(logits[..., :1])], dim=2)))


def too_many() -> nn.Module:
    return Found(lambda boxes, logits: (boxes, torch.cat([logits, logits], dim=2)))


def maps() -> nn.Module:
    return Colours()


def several_maps() -> nn.Module:
    class Several(nn.Module):
        def forward(self, images: Tensor) -> dict[str, Tensor]:
            return {"features": images.repeat(1, 3, 1, 1), "out": Colours()(images)}

    return Several()


def ordered_maps() -> nn.Module:
    class Ordered(nn.Module):
        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
            return images.mean(dim=(2, 3)), Colours()(images)

    return Ordered()


def listed(write_list: Any, name: str, outputs: str, labels: str = THREE) -> Path:
    return write_list(ENTRY.format(name=name, outputs=outputs, labels=labels))


@pytest.mark.parametrize("name", ["named", "ordered", "with_nothing"])
def test_detections_are_explained(write_list: Any, name: str) -> None:
    path = listed(write_list, name, "detections")
    (card,) = list_models(path)
    assert (card.targets, card.outputs) == (("class", "contrast", "box"), "sigmoid")
    model = load_model("mine", device="cpu", models_file=path)
    assert (model.targets, model.head, model.labels) == (card.targets, card.outputs, card.labels)
    found = explain(model, picture(), {"target": {"box": [0, 0, 16, 16]}, **QUICK})
    assert found.target.label == "red at 0, 0, 16, 16"


def test_no_object_takes_confidence_away() -> None:
    images = torch.rand(2, 3, 32, 32)
    found, plain = OwnDetections(with_nothing(), 3)(images), Quadrants()(images)
    logits = torch.cat([plain.scores, torch.zeros(2, 4, 1)], dim=2)
    torch.testing.assert_close(found.scores.sigmoid(), logits.softmax(dim=2)[..., :3])


@pytest.mark.parametrize("name", ["maps", "several_maps", "ordered_maps"])
def test_maps_are_explained_without_their_background(write_list: Any, name: str) -> None:
    path = listed(write_list, name, "maps", f'"background", {THREE}')
    (card,) = list_models(path)
    assert (card.targets, card.labels) == (("class", "contrast", "segment"), ("red", "green", "blue"))
    model = load_model("mine", device="cpu", models_file=path)
    assert (model.targets, model.head, model.labels) == (card.targets, card.outputs, card.labels)
    found = explain(model, picture(), {"target": {"segment": "blue"}, **QUICK})
    assert found.target.label == "blue within its pixels"


@pytest.mark.parametrize(
    ("name", "outputs", "labels", "said"),
    [
        (
            "too_many",
            "detections",
            THREE,
            r"3 labels N x Q x 3 before the sigmoid or .* gives boxes \(2, 4, 4\), logits",
        ),
        ("maps", "detections", THREE, "needs `boxes`"),
        ("maps", "maps", THREE, r"one output N x 3 x h x w for 3 labels .* gives 0 \(2, 4, 8, 8\)"),
    ],
)
def test_other_outputs_are_told(write_list: Any, name: str, outputs: str, labels: str, said: str) -> None:
    with pytest.raises(ModelUnavailable, match=said):
        load_model("mine", device="cpu", models_file=listed(write_list, name, outputs, labels))


def test_a_librarys_network_needs_no_such_word(write_list: Any) -> None:
    with pytest.raises(InvalidInput, match="of torchvision's networks it is known"):
        list_models(write_list('torchvision = "fcn_resnet50"\noutputs = "maps"'))


def test_scores_stay_scores() -> None:
    network = nn.Identity()
    assert explained_as(network, "softmax", ("a", "b")) is network
