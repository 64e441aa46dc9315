"""Page of several results: what it holds, what it leaves out, and how large it gets."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ep_core
from ep_core.models import Classifier, Preprocessing
from ep_core.pictures.embedded import thumbnail
from ep_core.pictures.gallery import (
    MASK_SIDE,
    MOST,
    SIDE,
    SIDE_OF_MANY,
    GalleryImage,
    gallery_page,
    shown_areas,
    side_among,
)
from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.reports.file_names import mask_name
from tests.networks import plain

FRAME = 128
QUICK = {"preset": "paper", "iterations": 2, "check_extremality": False, "threshold": 0.01}
HALF = (0.5, 0.5, 0.5)


@pytest.fixture(scope="module")
def model() -> Classifier:
    return Classifier(
        plain(),
        name="plain",
        labels=["</script>", "b", "c"],
        preprocessing=Preprocessing(input_size=(FRAME, FRAME), mean=HALF, std=HALF),
    )


@pytest.fixture(scope="module")
def found(model: Classifier) -> ep_core.Explanation:
    return ep_core.explain(model, noise(200, 150), {"areas": (0.2, 0.4), **QUICK})


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def shown(found: ep_core.Explanation, name: str = "a.jpg") -> GalleryImage:
    files = dict(found.files())
    report = found.report()
    masks = {area: files[mask_name(area, frame="model")] for area in shown_areas(report)}
    return GalleryImage(name=name, report=report, picture=thumbnail(found.image, SIDE), masks=masks)


def held(page: str) -> dict[str, Any]:
    data = re.search(r'<script type="application/json" id="held">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    parsed: dict[str, Any] = json.loads(data.group(1))
    return parsed


def picture(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def test_it_holds_pictures_masks_classes_and_scores(found: ep_core.Explanation) -> None:
    page = gallery_page([shown(found, "<b>.jpg"), GalleryImage(name="c.jpg", note="no picture")])
    (one, other), made = held(page)["images"], held(page)["made"]
    assert page.count("<script") == page.count("</script>") == 2
    assert not re.search(r"""(src|href)=["']""", page)
    assert (one["name"], one["result"]["target"]["label"], other["note"]) == ("<b>.jpg", "</script>", "no picture")
    assert (other["result"], other["picture"]) == (None, None)
    assert picture(one["picture"]).size == (200, 150)
    for point, mask, curve in zip(one["result"]["curve"], found.masks, found.curve, strict=True):
        small = np.asarray(picture(point["mask"])) / 255
        assert small.shape == (MASK_SIDE, MASK_SIDE)
        assert small.mean() == pytest.approx(mask.mean().item(), abs=0.01)
        assert point["preserve"] == curve.preserve
    assert made["params"]["areas"] == [0.2, 0.4]
    assert made["model"]["name"] == "plain"
    assert "3 images" in gallery_page([], more=3)


def test_of_a_long_sweep_some_masks_are_in_it_and_that_of_the_optimal_area(model: Classifier) -> None:
    areas = tuple(k / 50 for k in range(1, 40))
    long = ep_core.explain(model, noise(60, 50), {**QUICK, "areas": areas, "threshold": 0.9})
    chosen = shown_areas(long.report())
    assert len(chosen) in (8, 9)
    assert chosen[0] == areas[0]
    assert chosen[-1] == areas[-1]
    assert long.optimal_area in chosen


def test_results_without_masks_of_their_own_have_none(model: Classifier) -> None:
    channels = ep_core.explain_channels(model, noise(60, 50), {"layer": "3", "areas": (2, 8), "iterations": 2})
    compared = ep_core.compare(model, noise(60, 50), {"methods": ("center",), "areas": (0.2,)})
    assert shown_areas(channels.report()) == shown_areas(compared.report()) == []
    (one,) = held(gallery_page([GalleryImage(name="a", report=channels.report())]))["images"]
    assert one["result"]["optimal_area"] == channels.optimal_area


def test_an_old_result_lies_on_the_whole_image(found: ep_core.Explanation) -> None:
    old = found.report().model_dump(mode="json") | {"frame_box": None}
    (one,) = held(gallery_page([GalleryImage(name="a", report=ExtremalReport.model_validate(old))]))["images"]
    assert one["result"]["frame"] == {"left": 0, "top": 0, "right": 200, "bottom": 150}


def test_a_hundred_images_of_noise_are_some_megabytes(found: ep_core.Explanation) -> None:
    one = shown(found)
    assert len(one.masks) == 2
    assert side_among(100) == SIDE
    assert side_among(101) == side_among(MOST) == SIDE_OF_MANY
    page = gallery_page([one] * 100)
    assert len(page) < 100 * 120_000
