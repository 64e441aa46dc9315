"""The adapter of pytorch-grad-cam: its calls and targets, and the library's own functions on its maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ep_core import Classifier, Preprocessing
from ep_core.adapters.grad_cam import ExtremalPerturbation
from ep_core.errors import InvalidInput

from .conftest import LEFT, QUICK, RIGHT, SIDE, Difference, TwoSpots, seen

pytest.importorskip(
    "pytorch_grad_cam", reason="grad-cam is not installed: pip install 'extremal-perturbations[grad-cam]'"
)

from pytorch_grad_cam.metrics.cam_mult_image import CamMultImageConfidenceChange, DropInConfidence
from pytorch_grad_cam.metrics.road import ROADMostRelevantFirst
from pytorch_grad_cam.utils.image import show_cam_on_image
from pytorch_grad_cam.utils.model_targets import (
    BinaryClassifierOutputTarget,
    ClassifierOutputSoftmaxTarget,
    ClassifierOutputTarget,
    FasterRCNNBoxScoreTarget,
    SemanticSegmentationTarget,
)

FADE = QUICK | {"perturbation": "fade"}


@pytest.fixture
def cam(spots: TwoSpots) -> ExtremalPerturbation:
    return ExtremalPerturbation(model=spots, target_layers=[spots], **FADE)


def as_seen(maps: np.ndarray) -> list[str]:
    return [seen(torch.from_numpy(one)) for one in maps]


def test_each_image_is_explained_for_its_target(cam: ExtremalPerturbation, images: Tensor) -> None:
    with cam as entered:
        maps = entered(input_tensor=images, targets=[ClassifierOutputTarget(0), ClassifierOutputTarget(1)])
    assert maps.dtype == np.float32
    assert maps.shape == (2, SIDE, SIDE)
    assert 0 <= maps.min() < maps.max() <= 1
    assert as_seen(maps) == ["left", "right"]


def test_an_error_leaves_the_context(cam: ExtremalPerturbation) -> None:
    """Theirs swallows an IndexError."""
    with pytest.raises(IndexError), cam:
        raise IndexError


def test_indices_are_targets_too(cam: ExtremalPerturbation, images: Tensor) -> None:
    assert as_seen(cam(images, [1, np.int64(0)])) == ["right", "left"]


def test_without_targets_the_top_class_is_explained(cam: ExtremalPerturbation, images: Tensor) -> None:
    images[0, :, :, : SIDE // 2] = 0.5
    images[1, :, :, SIDE // 2 :] = 0.5
    assert as_seen(cam(images, None)) == ["right", "left"]


def test_targets_are_functions_of_the_outputs(cam: ExtremalPerturbation, images: Tensor) -> None:
    assert as_seen(cam(images, [ClassifierOutputSoftmaxTarget(1), lambda outputs: outputs[..., 0]])) == [
        "right",
        "left",
    ]


class OneScore(TwoSpots):
    """The right spot's score alone."""

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x H x W -> N x 1."""
        return super().forward(images)[:, 1:]


def test_the_target_of_a_binary_classifier_is_its_one_score(images: Tensor) -> None:
    maps = ExtremalPerturbation(OneScore(), **FADE)(images[:1], [BinaryClassifierOutputTarget(1)])
    assert as_seen(maps) == ["right"]


class Pixels(nn.Module):
    """Scores the light of every pixel, for two categories."""

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x H x W -> N x 2 x H x W."""
        light = images.mean(dim=1)
        return torch.stack([light, light / 2], dim=1)


def test_the_target_of_a_segmentation_explains_its_pixels(images: Tensor) -> None:
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[RIGHT] = 1
    maps = ExtremalPerturbation(Pixels(), **FADE)(images[:1], [SemanticSegmentationTarget(1, mask)])
    assert as_seen(maps) == ["right"]


class Detector(TwoSpots):
    """Finds a box at either spot, of a category of its own, as torchvision's detectors say it."""

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        """N x 3 x H x W -> N times boxes, labels and scores."""
        boxes = torch.tensor([_box(LEFT), _box(RIGHT)])
        labels = torch.tensor([1, 2])
        return [{"boxes": boxes, "labels": labels, "scores": scores} for scores in super().forward(images)]


def _box(spot: tuple[slice, slice]) -> list[float]:
    rows, columns = spot
    return [float(side) for side in (columns.start, rows.start, columns.stop, rows.stop)]


def test_the_target_of_a_detection_explains_its_box(images: Tensor) -> None:
    targets = [FasterRCNNBoxScoreTarget([label], [np.array(_box(spot))]) for label, spot in ((1, LEFT), (2, RIGHT))]
    assert as_seen(ExtremalPerturbation(Detector(), **FADE)(images, targets)) == ["left", "right"]


@pytest.mark.parametrize(("mean", "kept"), [(0, "left"), (-1, "right")])
def test_a_classifier_says_what_black_is(black_and_white: Tensor, mean: float, kept: str) -> None:
    """Black is 0 in the network's input, or 1."""
    preprocessing = Preprocessing((SIDE, SIDE), mean=(mean, mean, mean), std=(1, 1, 1))
    model = Classifier(Difference(), preprocessing=preprocessing, labels=["left", "right"])
    assert as_seen(ExtremalPerturbation(model, **FADE)(black_and_white, [0])) == [kept]


def test_the_librarys_pictures_and_metrics_take_its_maps(
    cam: ExtremalPerturbation, spots: TwoSpots, images: Tensor
) -> None:
    targets = [ClassifierOutputTarget(0), ClassifierOutputTarget(1)]
    maps = cam(images, targets)
    picture = show_cam_on_image(images[0].permute(1, 2, 0).numpy(), maps[0], use_rgb=True)
    assert picture.shape == (SIDE, SIDE, 3)
    kept = CamMultImageConfidenceChange()(images, maps, targets, spots)
    others = CamMultImageConfidenceChange()(images, maps[::-1].copy(), targets, spots)
    assert (kept > others + 3).all()  # the spot of the target is kept, the other one isn't
    assert (DropInConfidence()(images, maps, targets, spots) < 3).all()
    assert (ROADMostRelevantFirst(percentile=80)(images, maps, targets, spots) < 0.5).all()


@pytest.mark.parametrize("name", ["aug_smooth", "eigen_smooth"])
def test_smoothing_of_cams_is_refused(cam: ExtremalPerturbation, images: Tensor, name: str) -> None:
    with pytest.raises(InvalidInput, match=f"leave {name} out"):
        cam(images, None, **{name: True})


def test_what_does_not_fit_is_refused(cam: ExtremalPerturbation, images: Tensor) -> None:
    with pytest.raises(InvalidInput, match="1 targets for 2 images"):
        cam(images, [ClassifierOutputTarget(0)])
    with pytest.raises(InvalidInput, match="2 is not a class: use 0 to 1"):
        cam(images[:1], [ClassifierOutputTarget(2)])
    with pytest.raises(InvalidInput, match=r"input_tensor is N x C x H x W.*image\[None\]"):
        cam(images[0])


def test_the_network_stays_as_it_was(images: Tensor) -> None:
    network = nn.Sequential(nn.Dropout(0.5), TwoSpots())
    assert as_seen(ExtremalPerturbation(network, **FADE)(images[:1], [1])) == ["right"]
    assert network.training
