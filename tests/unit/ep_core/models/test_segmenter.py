"""A segmenter as a classifier, and the score of a class in a region."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ep_core import Classifier, explain
from ep_core.errors import InvalidInput
from ep_core.models.segmenter import RegionScore, Segmenter
from ep_core.models.targets import given_target
from ep_core.models.top_classes import top_classes
from ep_core.schemas.specs import ExtremalSpec
from tests.unit.ep_core.models.places import CROPPED, GAIN, PIXELS, SIDE, Colours, picture, segmenter

QUICK = {"areas": [0.2], "iterations": 10, "perturbation": "fade"}
RED = math.exp(GAIN) / (math.exp(GAIN) + math.exp(3) + 2)
"""The softmax's probability of red where all is red."""
BLACK = 1 / (3 + math.exp(3))
"""That of any colour where nothing is."""


def log_odds(p: float) -> float:
    return math.log(p / (1 - p))


def score_of(model, image: Image.Image, target: dict[str, Any], drawn: Any = None, fit: str = "crop") -> float:
    one, index = given_target(model, ExtremalSpec(target=target, fit=fit), image, drawn)
    assert index == 0
    x, _ = one.preprocess(image, fit)
    with one.frozen() as network, torch.no_grad():
        return float(network(x))


def test_a_class_scores_as_its_share_of_the_image() -> None:
    maps = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0)) * 4
    scores = Segmenter(torch.nn.Identity(), (1, 3))(maps)
    shares = maps.softmax(dim=1).mean(dim=(2, 3))[:, [1, 3]]
    torch.testing.assert_close(scores, shares.logit())


def test_a_region_scores_as_the_mean_of_its_pixels() -> None:
    maps = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0)) * 4
    region = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(1))  # of twice the size
    scores = RegionScore(torch.nn.Identity(), 3, region)(maps)
    for n in range(2):
        weighed = total = 0.0
        for y in range(3):
            for x in range(4):
                weight = float(region[0, 0, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean())
                weighed += weight * log_odds(float(maps[n, :, y, x].softmax(dim=0)[3]))
                total += weight
        assert float(scores[n]) == pytest.approx(weighed / total, rel=1e-4)


def test_a_segmenter_is_a_classifier_of_what_it_sees() -> None:
    model = segmenter()
    assert (model.targets, model.head) == (("class", "contrast", "segment"), "sigmoid")
    first, second, third = top_classes(model, picture())
    assert ({first.label, second.label}, third.label) == ({"red", "blue"}, "green")
    assert first.probability == pytest.approx((RED + 2 * BLACK) / 4, abs=1e-3)  # blue leaves nothing of red


@pytest.mark.parametrize(
    ("within", "label"),
    [
        (None, "red within its pixels"),
        ((0, 0, 50, 50), "red within 0, 0, 50, 50"),
        ("target_mask", "red within target_mask"),
    ],
)
def test_a_segment_is_explained(within: Any, label: str) -> None:
    image = picture((100, 100))
    drawn = None
    if within == "target_mask":
        drawn = Image.new("L", image.size)
        drawn.paste(255, (0, 0, 50, 50))
    spec = {"target": {"segment": "red", "within": within}, **QUICK}
    result = explain(segmenter(), image, spec, target_picture=drawn)
    assert result.target.model_dump() == {"kind": "segment", "index": None, "label": label}
    assert result.scores.original == pytest.approx(log_odds(RED), rel=0.05)
    mask = result.frame.mask_to_image(result.masks[0, 0].numpy())
    assert mask[:50, :50].sum() > 0.8 * mask.sum()


def test_a_region_is_where_the_picture_is_in_a_cropped_frame() -> None:
    """Of 96 x 32, the frame is the middle: its red quadrant lies from 32 to 48."""
    image = Image.new("RGB", (96, 32))
    image.paste((255, 0, 0), (32, 0, 48, 16))
    model = segmenter(CROPPED)
    drawn = np.zeros((32, 96), dtype=np.uint8)
    drawn[:16, 32:48] = 255
    for target, mask in (({"within": (32, 0, 48, 16)}, None), ({"within": "target_mask"}, drawn), ({}, None)):
        assert score_of(model, image, {"segment": "red", **target}, mask) == pytest.approx(log_odds(RED), rel=1e-3)
    half = score_of(model, image, {"segment": "red", "within": (32, 0, 64, 16)})
    assert half == pytest.approx((log_odds(RED) + log_odds(BLACK)) / 2, rel=1e-3)
    stretched = image.resize((32, 32)).resize((96, 32))
    whole = score_of(model, stretched, {"segment": "red", "within": (0, 0, 96, 32)}, fit="stretch")
    assert whole == pytest.approx(log_odds(BLACK) + (log_odds(RED) - log_odds(BLACK)) / 12, rel=0.1)


def test_edges_of_a_region_count_in_part() -> None:
    """A box of a cell and a half, of which the half has another colour."""
    image = picture()
    score = score_of(segmenter(), image, {"segment": "red", "within": (12, 0, 18, 4)})
    assert score == pytest.approx((4 * log_odds(RED) + 2 * log_odds(BLACK)) / 6, rel=1e-3)


@pytest.mark.parametrize(
    ("target", "drawn", "said"),
    [
        ({"segment": "green"}, None, r"no pixel of the image to 'green'; it sees red, blue\. Choose one"),
        ({"segment": "red", "within": (200, 0, 300, 16)}, None, "sees nothing of the box 200, 0, 300, 16"),
        ({"segment": "red", "within": "target_mask"}, None, "target_mask is missing"),
        (
            {"segment": "red", "within": "target_mask"},
            Image.new("L", (8, 9), 255),
            "32 x 32 pixels, .* this one is 8 x 9",
        ),
        ({"segment": "red", "within": "target_mask"}, torch.ones(1, 3, SIDE, SIDE), "this one is a tensor"),
        ({"segment": "red", "within": "target_mask"}, Image.new("L", (SIDE, SIDE)), "no white pixel"),
        ({"box": [0, 0, 9, 9]}, None, "detects no objects"),
    ],
    ids=["unseen", "outside", "missing", "size", "tensor", "black", "kind"],
)
def test_what_is_no_region_of_the_image_is_told(target: dict[str, Any], drawn: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        score_of(segmenter(), picture(), target, drawn)


def test_a_region_beside_the_frame_is_told() -> None:
    drawn = Image.new("L", (96, 32))
    drawn.paste(255, (0, 0, 20, 32))
    target = {"segment": "red", "within": "target_mask"}
    with pytest.raises(InvalidInput, match="black where the network sees it"):
        score_of(segmenter(CROPPED), Image.new("RGB", (96, 32)), target, drawn)
    with pytest.raises(InvalidInput, match="'whole' or 'stretch', which show all of the image"):
        score_of(segmenter(CROPPED), Image.new("RGB", (96, 32)), {"segment": "red", "within": (0, 0, 20, 32)})


def test_a_picture_without_any_class_is_told() -> None:
    with pytest.raises(InvalidInput, match="it sees none of its classes"):
        score_of(segmenter(), Image.new("RGB", (SIDE, SIDE)), {"segment": "red"})


def test_a_segmenter_of_one_class_has_a_sigmoid() -> None:
    class Red(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return Colours()(images)[:, 1:2] - 6

    network = Segmenter(Red(), (0,))
    x = torch.zeros(1, 3, SIDE, SIDE)
    x[:, 0, :, :16] = 1
    assert (network.assigned(x) == 0).float().mean() == 0.5
    share = (1 / (1 + math.exp(-6)) + 1 / (1 + math.exp(6))) / 2
    assert network(x).item() == pytest.approx(log_odds(share), abs=1e-4)


def test_several_images_have_no_place_in_common() -> None:
    with pytest.raises(InvalidInput, match="at a place of one image"):
        given_target(segmenter(), ExtremalSpec(target={"segment": "red"}))


class RedOrNot(torch.nn.Module):
    """Two classes, and no background: what isn't red is the rest."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        red = 8 * torch.nn.functional.avg_pool2d(images, 4)[:, :1]
        return torch.cat([red, 4 - red], dim=1)


def test_padding_is_no_pixel_of_the_image() -> None:
    model = Classifier(Segmenter(RedOrNot(), (0, 1)), labels=["red", "rest"], preprocessing=PIXELS)
    image = Image.new("RGB", (64, 32), (255, 0, 0))
    with pytest.raises(InvalidInput, match="no pixel of the image to 'rest'; it sees red"):
        score_of(model, image, {"segment": "rest"}, fit="whole")
    assert score_of(model, image, {"segment": "red"}, fit="whole") == pytest.approx(12, rel=1e-3)  # 8 - (4 - 8)


def test_sums_over_many_pixels_stay_in_the_range_of_half_precision() -> None:
    maps = torch.zeros(1, 2, 300, 300, dtype=torch.float16)
    assert Segmenter(torch.nn.Identity(), (0,))(maps).item() == pytest.approx(0, abs=1e-3)
    maps[:, 0] = 12
    score = RegionScore(torch.nn.Identity(), 0, torch.ones(1, 1, 300, 300))(maps)
    assert score.item() == pytest.approx(12)
