"""Scalar targets: functions of any outputs, of a batch or of one image, and contrasts of classes."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from ep_core import (
    ClassChannelsSpec,
    Classifier,
    CompareSpec,
    ExtremalSpec,
    Preprocessing,
    class_channels,
    compare,
    explain,
    explain_batch,
    explain_channels,
)
from ep_core.errors import InvalidInput, ModelUnavailable, UnknownName
from ep_core.models.scalar import ScalarTarget, scalar_network, single_outputs
from ep_core.schemas.specs import ChannelsSpec
from tests.small_jobs import MASKS_ONLY

SIDE = 96
SIZES = Preprocessing((SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
CONTRAST: dict[str, Any] = {"class": "a", "instead_of": 2}
QUICK: dict[str, Any] = {"areas": (0.2,), "iterations": 2, "independent": True}
CHEAP = QUICK | MASKS_ONLY


class SegmentTarget:
    """Score of a class within a region, of one image's maps: as pytorch-grad-cam's target of that name has it."""

    def __init__(self, category: int, mask: Tensor) -> None:
        self.category = category
        self.mask = mask

    def __call__(self, output: Tensor) -> Tensor:
        return (output[self.category, :, :] * self.mask).sum()


class Detector(nn.Module):
    """A list with boxes and scores for each image."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        return [
            {"boxes": torch.tensor([[0.0, 0, 8, 8]]), "scores": self.weight * one[:, :8, :8].mean()[None]}
            for one in images
        ]


class Pair(NamedTuple):
    maps: Tensor
    scores: Tensor


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64, 3))


@pytest.fixture
def model(network: nn.Module) -> Classifier:
    return Classifier(network, preprocessing=SIZES, labels=list("abc"))


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "target",
    [
        lambda scores: scores[:, 1],
        lambda scores: scores[:, 1:2],
        lambda scores: scores[..., 1],
        lambda scores: scores[1],
    ],
    ids=["batch", "column", "either", "single"],
)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_function_of_a_batch_or_of_one_image_gives_a_score_for_each(
    network: nn.Module, target: ScalarTarget, count: int
) -> None:
    images = torch.rand(count, 3, SIDE, SIDE)
    scalar = scalar_network(network, target)
    scalar(torch.rand(2, 3, SIDE, SIDE))  # as the model's check does: a single image doesn't tell the two kinds apart
    torch.testing.assert_close(scalar(images), network(images)[:, 1:2])


def test_outputs_are_taken_apart_by_image() -> None:
    maps, scores = torch.rand(2, 3, 4, 4), torch.rand(2, 5)
    (_, second) = single_outputs({"maps": maps, "pair": Pair(maps, scores), "name": "x"}, 2)
    assert torch.equal(second["maps"], maps[1])
    assert torch.equal(second["pair"][1], scores[1])
    assert second["name"] == "x"
    boxes = [{"boxes": maps}, {"boxes": scores}]
    assert list(single_outputs(boxes, 2)) == boxes


def test_a_segmenters_region_is_explained(image: Tensor) -> None:
    region = torch.zeros(SIDE, SIDE)
    region[:24, :24] = 1
    segmenter = nn.Conv2d(3, 2, 3, padding=1)
    model = Classifier(segmenter, preprocessing=SIZES, target=SegmentTarget(0, region))
    assert model.labels == ("SegmentTarget",)
    found = explain(model, image, {"areas": (0.1,), "iterations": 20})
    assert found.target.model_dump() == {"kind": "score", "index": None, "label": "SegmentTarget"}
    assert found.scores.original == pytest.approx(float((segmenter(image)[0, 0] * region).sum()), rel=1e-4)
    assert found.scores.original_probability is found.curve[0].preserve_probability is None
    assert found.contrast is None
    mask = found.masks[0, 0]
    assert mask[:24, :24].mean() > 3 * mask.mean()


def test_a_detectors_score_is_explained_though_its_outputs_are_lists(image: Tensor) -> None:
    model = Classifier(Detector(), preprocessing=SIZES, labels=["box"], target=lambda output: output["scores"][0])
    found = explain(model, image, CHEAP)
    assert found.target.label == "box"
    assert found.scores.original == pytest.approx(float(image[0, :, :8, :8].mean()), abs=1e-4)


def test_a_function_of_the_scores_of_a_classifier(model: Classifier, image: Tensor) -> None:
    found = explain(model.scoring(lambda scores: scores[:, 0] - scores[:, 2], "a over c"), image, CHEAP)
    contrast = explain(model, image, {"target": CONTRAST, **CHEAP})
    assert torch.equal(found.masks, contrast.masks)
    assert found.target.label == "a over c"
    assert found.model.weights_digest == model.weights_digest


def test_a_contrast_is_the_difference_of_two_classes(model: Classifier, network: nn.Module, image: Tensor) -> None:
    found = explain(model, image, {"target": CONTRAST, **CHEAP})
    scores = network(image)[0]
    assert found.target.model_dump() == {"kind": "contrast", "index": None, "label": "a instead of c"}
    assert found.scores.original == pytest.approx(float(scores[0] - scores[2]), abs=1e-5)
    assert found.report().model_dump(mode="json")["params"]["target"] == CONTRAST


def test_contrasts_and_classes_of_one_batch_are_those_alone(model: Classifier, image: Tensor) -> None:
    other = {"class": "c", "instead_of": "b"}
    specs = [ExtremalSpec(target=one, **CHEAP) for one in (CONTRAST, 1, other, CONTRAST)]
    together = explain_batch(model, [image] * 4, specs)
    for found, spec in zip(together, specs, strict=True):
        assert torch.equal(found.masks, explain(model, image, spec).masks)
    assert [one.target.kind for one in together] == ["contrast", "class", "contrast", "contrast"]


def test_the_other_tasks_take_a_contrast(model: Classifier, image: Tensor) -> None:
    compared = compare(
        model, image, CompareSpec(target=CONTRAST, methods=("gradient", "rise", "extremal"), samples=20, **QUICK)
    )
    gradient, rise, extremal = compared.report().methods
    assert gradient.unavailable is extremal.unavailable is None
    assert "the score 'a instead of c' is no probability" in (rise.unavailable or "")
    layer = model.layers[0].name
    channels = explain_channels(model, image, ChannelsSpec(target=CONTRAST, layer=layer, areas=(2,), iterations=2))
    assert channels.target.kind == "contrast"
    of_class = class_channels(
        model, [image, image.flip(3)], ClassChannelsSpec(target=CONTRAST, layer=layer, areas=(4,), iterations=2)
    )
    assert of_class.report().model_dump(mode="json")["params"]["target"] == CONTRAST


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ({"class": 0, "instead_of": "a"}, InvalidInput, "a class instead of itself"),
        ({"class": 0, "instead_of": 3}, InvalidInput, "use 0 to 2"),
        ({"class": "d", "instead_of": 0}, UnknownName, "no class is called 'd'"),
        ({"class": 0}, InvalidInput, r"^target\.instead_of: it is missing$"),
        ({"class": 0, "instead_of": 1, "and": 2}, InvalidInput, r"^target\.and: there is no such field$"),
        ({"class": 0.5, "instead_of": 1}, InvalidInput, r"^target\.class: 0.5 is not a whole number; "),
    ],
)
def test_wrong_contrasts_are_refused(
    model: Classifier, image: Tensor, target: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        explain(model, image, {"target": target, **CHEAP})


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("a", InvalidInput, "a target is a class, or a function of the network's outputs"),
        (lambda _scores: 3, InvalidInput, r"for one image it returned int"),
        (lambda scores: scores, InvalidInput, r"for one image it returned a tensor of \(3,\)"),
        (lambda scores: scores[:, 0].detach(), ModelUnavailable, "carry no gradient"),
        (lambda scores: scores[:, 9], InvalidInput, "IndexError"),
    ],
)
def test_wrong_functions_are_refused(model: Classifier, target: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        model.scoring(target)
