"""torchvision's detectors and segmenters: all that they find, their frames, their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torchvision.models import detection

from ep_core import explain
from ep_core.bench.architectures.random_weights import seeded, wake
from ep_core.models import list_models, load_model
from ep_core.models.sources.describe import describe
from ep_core.models.sources.model_list import ModelEntry
from ep_core.models.sources.survey import survey_model
from ep_core.models.sources.torchvision_detectors import detector, detector_preprocessing
from ep_core.models.sources.torchvision_source import Torchvision
from ep_core.models.sources.torchvision_zoo import detector_names, segmenter_names

pytestmark = pytest.mark.slow  # networks of torchvision's sizes, in seconds

SIDE = 64
CLASSES = 5
BARE = {"weights": None, "weights_backbone": None, "num_classes": CLASSES}
ALL = {"score_thresh": -1.0, "nms_thresh": 2.0, "detections_per_img": 10**6, "topk_candidates": 10**6}
IN_FRAME = {"min_size": SIDE, "max_size": SIDE}
SHAPES: dict[str, dict[str, Any]] = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": IN_FRAME
    | {"box_score_thresh": -1.0, "box_nms_thresh": 2.0, "box_detections_per_img": 10**6},
    "retinanet_resnet50_fpn": IN_FRAME | ALL,
    "fcos_resnet50_fpn": IN_FRAME | ALL,
    "ssdlite320_mobilenet_v3_large": ALL,
}


def made(name: str, **kwargs: Any) -> Any:
    torch.manual_seed(0)
    network = getattr(detection, name)(**BARE, **kwargs)
    if name.startswith("ssd"):
        network.transform.fixed_size = (SIDE, SIDE)
    return network.eval()


def photographs() -> torch.Tensor:
    return torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", SHAPES)
@torch.no_grad()
def test_each_detection_of_the_library_is_found(name: str) -> None:
    network, images = made(name, **SHAPES[name]), photographs()
    theirs = network(list(images))
    normalised = torch.stack([network.transform.normalize(image) for image in images])
    ours = detector(network, range(1, CLASSES)).network(normalised)
    assert not ours.scores.isnan().any()
    compared = 0
    for k, found in enumerate(theirs):
        best = found["scores"].argsort(descending=True)[:200]
        for label in range(1, CLASSES):
            those = best[found["labels"][best] == label]
            boxes, scores = ours.of_class(label - 1)
            compared += len(those)
            listed = torch.cat([found["boxes"][those] / SIDE, found["scores"][those, None]], dim=1)
            known = torch.cat([boxes[k], scores[k, :, None].sigmoid()], dim=1)
            apart = torch.cdist(listed, known, compute_mode="donot_use_mm_for_euclid_dist").amin(dim=1)
            assert apart.numel() == 0 or apart.max() < 1e-4
    assert compared > 100


@pytest.mark.parametrize("name", SHAPES)
def test_scores_have_a_gradient_also_of_a_grey_image(name: str) -> None:
    network = made(name, **SHAPES[name]).requires_grad_(False)
    images = torch.full((1, 3, SIDE, SIDE), 0.1, requires_grad=True)
    detector(network, range(1, CLASSES))(images).sum().backward()
    assert images.grad is not None
    assert images.grad.isfinite().all()
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("name", detector_names())
def test_the_frame_is_that_of_the_librarys_own_transform(name: str) -> None:
    transform = torchvision.models.get_model(name, weights=None, weights_backbone=None).transform
    found = detector_preprocessing(name)
    torch.testing.assert_close(found.mean, tuple(transform.image_mean))
    torch.testing.assert_close(found.std, tuple(transform.image_std))
    assert found.input_size == (transform.fixed_size or transform.min_size[-1:] * 2)


def test_all_are_listed_with_labels_of_objects_alone() -> None:
    cards = {card.name: card for card in list_models() if set(card.targets) & {"box", "segment"}}
    assert set(cards) == {*detector_names(), *segmenter_names()}
    for card in cards.values():
        assert not {"N/A", "__background__", "no person"} & set(card.labels)
        assert card.outputs == "sigmoid"
    assert cards["fasterrcnn_resnet50_fpn"].labels[:3] == ("person", "bicycle", "car")
    assert len(cards["fasterrcnn_resnet50_fpn"].labels) == 80
    assert cards["keypointrcnn_resnet50_fpn"].labels == ("person",)
    assert cards["fcn_resnet50"].labels[14] == "person"
    assert cards["fcn_resnet50"].input_size == (520, 520)


@pytest.mark.parametrize(
    "name", ["maskrcnn_resnet50_fpn", "ssd300_vgg16", "fcos_resnet50_fpn", "lraspp_mobilenet_v3_large"]
)
def test_layers_are_found_without_weights(name: str) -> None:
    card = next(card for card in list_models() if card.name == name)
    surveyed = survey_model(card)
    assert surveyed is not None
    layers = surveyed.layers
    assert layers is not None
    assert any("channels" in (layer.default_for or ()) for layer in layers)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("ssdlite320_mobilenet_v3_large", {"box": (0, 0, 640, 498)}),
        ("fasterrcnn_mobilenet_v3_large_320_fpn", "dog"),
        ("lraspp_mobilenet_v3_large", {"segment": 1, "within": (0, 0, 50, 50)}),
    ],
)
def test_ones_own_weights_are_read_by_the_list(name: str, target: Any, write_list, tmp_path: Path, photograph) -> None:
    network = seeded(lambda: torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=3))
    images = torch.rand(4, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    wake(detector(network, (1, 2)) if name in detector_names() else network, images)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    path = write_list(
        f'torchvision = "{name}"\nfile = "w.pth"\nkwargs = {{ num_classes = 3 }}\nlabels = ["cat", "dog"]\n'
        "preprocessing = { input_size = [96, 96] }"
    )
    model = load_model("mine", device="cpu", models_file=path)
    (card,) = list_models(path)
    assert (model.labels, model.targets) == (("cat", "dog"), card.targets)
    found = explain(model, photograph, {"target": target, "areas": [0.3], "iterations": 2})
    assert found.target.label.startswith(("cat at", "dog"))
    assert found.curve[0].measured_area == pytest.approx(0.3, abs=0.01)


def test_without_labels_the_background_is_no_class() -> None:
    entry = ModelEntry(torchvision="fcn_resnet50", kwargs={"num_classes": 3})
    assert describe(entry).labels == ("1", "2")
    with torch.device("meta"):
        assert Torchvision().bare(entry).eval()(torch.zeros(2, 3, SIDE, SIDE)).shape == (2, 2)
