"""A detector as a classifier, and the score of one detection."""

from __future__ import annotations

import math

import pytest
import torch
import torchvision
from PIL import Image

from ep_core import compare, explain, explain_batch, explain_channels
from ep_core.errors import InvalidInput, UnknownName
from ep_core.models import Classifier
from ep_core.models.detector import LEAST_OVERLAP, BoxScore, Detections, Detector, overlaps
from ep_core.models.targets import given_target
from ep_core.models.top_classes import top_classes
from ep_core.schemas.specs import ExtremalSpec
from tests.unit.ep_core.models.places import BIAS, CROPPED, GAIN, LABELS, PIXELS, SIDE, Quadrants, detector, picture

QUICK = {"areas": [0.2], "iterations": 10, "perturbation": "fade"}  # a blur of plain colours hides nothing


def random_detections(boxes_per_query: int) -> Detections:
    chance = torch.Generator().manual_seed(0)
    corners = torch.rand(2, 7, boxes_per_query, 2, 2, generator=chance).sort(dim=3).values
    return Detections(corners.flatten(3), torch.randn(2, 7, 3, generator=chance) * 3)


class Fixed(torch.nn.Module):
    def __init__(self, found: Detections) -> None:
        super().__init__()
        self.found = found

    def forward(self, images: torch.Tensor) -> Detections:
        return self.found


def score_of(model: Classifier, image: Image.Image, target: dict, fit: str = "crop") -> float:
    one, index = given_target(model, ExtremalSpec(target=target, fit=fit), image)
    assert index == 0
    x, _ = one.preprocess(image, fit)
    with one.frozen() as network, torch.no_grad():
        return float(network(x))


def test_overlaps_are_torchvisions() -> None:
    boxes = random_detections(1).boxes[0, :, 0]
    wanted = torch.tensor([0.2, 0.1, 0.7, 0.9])
    torch.testing.assert_close(overlaps(boxes, wanted), torchvision.ops.box_iou(boxes, wanted[None])[:, 0])


@pytest.mark.parametrize("boxes_per_query", [1, 3], ids=["one box for all classes", "a box for each class"])
def test_the_score_is_the_most_confidence_times_overlap(boxes_per_query: int) -> None:
    found, wanted = random_detections(boxes_per_query), (0.1, 0.2, 0.8, 0.7)
    scores = BoxScore(Fixed(found), wanted, 2)(torch.zeros(2, 3, 8, 8))
    for n in range(2):
        best = 0.0
        for q in range(7):
            box = found.boxes[n, q, 2 if boxes_per_query > 1 else 0]
            overlap = float(torchvision.ops.box_iou(box[None], torch.tensor([wanted])))
            best = max(best, float(found.scores[n, q, 2].sigmoid()) * max(overlap, LEAST_OVERLAP))
        assert float(scores[n]) == pytest.approx(math.log(best / (1 - best)), rel=1e-3)


def test_a_class_scores_as_its_best_detection() -> None:
    found = random_detections(1)
    scores = Detector(Fixed(found))(torch.zeros(2, 3, 8, 8))
    assert scores.tolist() == [[max(found.scores[n, :, c].tolist()) for c in range(3)] for n in range(2)]


def test_the_gradient_lives_where_no_detection_overlaps() -> None:
    images = torch.full((1, 3, SIDE, SIDE), 0.5, requires_grad=True)
    far = BoxScore(Quadrants(), (2.0, 2.0, 3.0, 3.0), 0)(images)
    far.sum().backward()
    assert far.isfinite().all()
    assert images.grad.abs().sum() > 0


def test_a_detector_is_a_classifier_of_what_it_finds() -> None:
    model = detector()
    assert (model.targets, model.head) == (("class", "contrast", "box"), "sigmoid")
    first, second, _ = top_classes(model, picture())
    assert {first.label, second.label} == {"red", "blue"}
    assert first.score == pytest.approx(GAIN + BIAS)
    assert first.probability == pytest.approx(1 / (1 + math.exp(-GAIN - BIAS)))


@pytest.mark.parametrize(
    ("box", "label", "found"),
    [
        ([0, 0, 50, 50], None, "red at 0, 0, 50, 50"),
        ([40, 40, 100, 100], None, "blue at 40, 40, 100, 100"),
        ([0, 0, 50, 50], "red", "red at 0, 0, 50, 50"),
        ([1.5, 2.25, 50, 50], 0, "red at 1.5, 2.25, 50, 50"),
    ],
)
def test_a_box_is_explained(box: list[float], label: str | int | None, found: str) -> None:
    result = explain(detector(), picture((100, 100)), {"target": {"box": box, "label": label}, **QUICK})
    assert result.target.model_dump() == {"kind": "box", "index": None, "label": found}
    p = result.scores.original_probability
    assert result.scores.original == pytest.approx(math.log(p / (1 - p)), rel=1e-3)
    half = (slice(0, 50), slice(0, 50)) if found.startswith("red") else (slice(50, 100), slice(50, 100))
    mask = result.frame.mask_to_image(result.masks[0, 0].numpy())
    assert mask[half].sum() > 0.8 * mask.sum()


def test_a_box_is_where_the_picture_is_in_a_stretched_frame() -> None:
    wide = picture((200, 40))
    confidence = 1 / (1 + math.exp(-GAIN - BIAS))
    exact = score_of(detector(), wide, {"box": [0, 0, 100, 20]})
    assert 1 / (1 + math.exp(-exact)) == pytest.approx(confidence, rel=1e-3)
    half = score_of(detector(), wide, {"box": [0, 0, 50, 20]})
    assert 1 / (1 + math.exp(-half)) == pytest.approx(confidence / 2, rel=1e-3)


def test_a_box_is_where_the_picture_is_in_a_cropped_frame() -> None:
    """Of 96 x 32, the frame is the middle: its red quadrant lies from 32 to 48."""
    image = Image.new("RGB", (96, 32))
    image.paste((255, 0, 0), (32, 0, 48, 16))
    confidence = 1 / (1 + math.exp(-GAIN - BIAS))
    model = detector(CROPPED)
    for box in ([32, 0, 48, 16], [0, -5, 48, 16]):  # what is cut off of a box doesn't count
        score = score_of(model, image, {"box": box})
        assert 1 / (1 + math.exp(-score)) == pytest.approx(confidence, rel=1e-3)
    with pytest.raises(InvalidInput, match=r"nothing of the box 0, 0, 30, 16: .* from 32, 0 to 64, 32; .*'stretch'"):
        score_of(model, image, {"box": [0, 0, 30, 16]})
    stretched = Image.new("RGB", (96, 32))
    stretched.paste((255, 0, 0), (0, 0, 48, 16))
    assert score_of(model, stretched, {"box": [0, 0, 48, 16]}, fit="stretch") > 5


def test_a_box_without_a_detection_is_told_with_those_that_there_are() -> None:
    with pytest.raises(InvalidInput) as error:
        score_of(detector(), picture((100, 100)), {"box": [0, 0, 50, 50], "label": "green"})
    assert str(error.value) == (
        "'corners' finds no 'green' at 0, 0, 50, 50: its best match there has a confidence times IoU of 0.00, and 0.1 "
        "is needed. It finds red 1.00 at 0, 0, 50, 50; blue 1.00 at 50, 50, 100, 100"
    )


@pytest.mark.parametrize(
    ("model", "target", "error", "said"),
    [
        (detector, {"box": [0, 0, 9, 9], "label": "pink"}, UnknownName, "pink"),
        (detector, {"segment": "red"}, InvalidInput, "segments nothing"),
        (
            lambda: Classifier(Plain(), preprocessing=PIXELS, labels=LABELS),
            {"box": [0, 0, 9, 9]},
            InvalidInput,
            "detects no",
        ),
    ],
    ids=["class", "kind", "classifier"],
)
def test_what_is_no_box_of_the_model_is_told(model, target: dict, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        score_of(model(), picture(), target)


class Plain(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(2, 3))


def test_a_box_of_a_preprocessed_image_is_in_its_pixels() -> None:
    x, _ = detector().preprocess(picture())
    found = explain(detector(), x, {"target": {"box": [0, 0, 16, 16]}, **QUICK})
    assert found.scores.original_probability == pytest.approx(1 / (1 + math.exp(-GAIN - BIAS)), rel=1e-3)


def test_several_images_have_each_their_own_detection() -> None:
    other = picture((100, 100)).transpose(Image.Transpose.ROTATE_180)
    red, blue = explain_batch(detector(), [picture((100, 100)), other], {"target": {"box": [0, 0, 50, 50]}, **QUICK})
    assert (red.target.label, blue.target.label) == ("red at 0, 0, 50, 50", "blue at 0, 0, 50, 50")


def behind_a_layer() -> Classifier:
    """The detector of quadrants behind a convolution that changes nothing."""
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3, padding=1), Quadrants())
    torch.nn.init.dirac_(network[0].weight)
    torch.nn.init.zeros_(network[0].bias)
    return Classifier(Detector(network), labels=LABELS, preprocessing=PIXELS)


def test_layers_have_the_same_names_whatever_the_target() -> None:
    model = behind_a_layer()
    names = [layer.name for layer in model.layers]
    assert names == ["0"]
    box, _ = given_target(model, ExtremalSpec(target={"box": [0, 0, 16, 16]}), picture())
    assert [layer.name for layer in box.layers] == names
    assert [layer.name for layer in model.contrasting(0, 1).layers] == names


def test_a_detector_in_half_precision_is_explained() -> None:
    half = Classifier(Detector(Quadrants().bfloat16()), labels=LABELS, preprocessing=PIXELS)
    assert score_of(half, picture(), {"box": [0, 0, 16, 16]}) == pytest.approx(GAIN + BIAS, abs=0.2)


def test_other_tasks_explain_a_box_too() -> None:
    model = behind_a_layer()
    target = {"box": [0, 0, 16, 16]}
    channels = explain_channels(model, picture(), {"target": target, "layer": "0", "areas": [1], "iterations": 10})
    assert channels.target.label == "red at 0, 0, 16, 16"
    assert channels.masks[0].flatten().argmax() == 0
    methods = ["gradient", "rise", "occlusion", "grad_cam", "center"]
    compared = compare(model, picture(), {"target": target, "methods": methods, "areas": [0.2], "samples": 64})
    assert [one.method for one in compared.answers] == methods
    assert not compared.refusals
