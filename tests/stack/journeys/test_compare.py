"""Every method on the running stack, beside the extremal masks; and the check that every sweep carries."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ep_core.schemas.specs import DEFAULT_METHODS
from tests.running_stack import SAMPLES, Stack
from tests.small_jobs import MASKS_ONLY

pytestmark = pytest.mark.e2e

AREAS = [0.2, 0.4]
BEAR_BOX = (196, 115, 431, 307)  # left, top, right, bottom on the photograph, from its COCO annotation
ON_THE_BEAR = {"grad_cam", "lrp", "excitation_backprop", "contrastive_excitation_backprop", "occlusion", "extremal"}


@pytest.fixture(scope="module")
def bear(stack: Stack) -> dict[str, Any]:
    """All methods on the bear, with fewer random images than they have by default, in a quarter of the pixels."""
    asked = {"model": "mobilenet_small", "target": "American black bear", "areas": AREAS}
    job = stack.finish(stack.post("black_bear", task="compare", **asked, samples=20, iterations=15), limit_s=280)
    assert job["status"] == "succeeded", job["error"]
    result: dict[str, Any] = stack.client.get(job["links"]["result"]).json()
    return result


def picture(stack: Stack, link: str) -> np.ndarray:
    answer = stack.client.get(link)
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_every_method_has_a_map_and_a_curve(bear: dict[str, Any]) -> None:
    assert len(DEFAULT_METHODS) >= 17
    assert [one["method"] for one in bear["methods"]] == list(DEFAULT_METHODS)
    for one in bear["methods"]:
        assert one["unavailable"] is None, one
        assert one["seconds"] >= 0
        assert one["source"]
        assert [point["area"] for point in one["curve"]] == AREAS
        for point in one["curve"]:
            assert point["measured_area"] == pytest.approx(point["area"], abs=2e-3)


@pytest.mark.parametrize("method", DEFAULT_METHODS)
def test_maps_are_pictures_of_the_image_s_size(stack: Stack, bear: dict[str, Any], method: str) -> None:
    one = bear["methods"][DEFAULT_METHODS.index(method)]
    map_ = picture(stack, one["map"]).astype(float)
    assert map_.shape == (427, 640)
    assert map_.max() > 200
    assert picture(stack, one["overlay"]).shape == (427, 640, 3)
    if method in ON_THE_BEAR:
        left, top, right, bottom = BEAR_BOX
        inside = map_[top:bottom, left:right].mean()
        assert inside > 1.2 * map_[:, 107:533].mean()  # of what the network sees


def test_extremal_masks_keep_the_most(bear: dict[str, Any]) -> None:
    curves = {one["method"]: [point["preserve"] for point in one["curve"]] for one in bear["methods"]}
    for k in range(len(AREAS)):
        beaten = [name for name, curve in curves.items() if curve[k] > curves["extremal"][k]]
        assert beaten == bear["extremality"]["points"][k]["beaten_by"] == []
    assert bear["extremality"]["extremal"]
    assert bear["extremality"]["points"][0]["of"] == len(DEFAULT_METHODS) + 16


def test_everything_beside_each_other(stack: Stack, bear: dict[str, Any]) -> None:
    sheet = picture(stack, bear["artifacts"]["comparison"])
    assert sheet.shape[1] > 4 * 224
    assert b"RISE" in stack.client.get(bear["artifacts"]["curve"]).content
    with zipfile.ZipFile(io.BytesIO(stack.client.get(bear["artifacts"]["bundle"]).content)) as bundle:
        names = set(bundle.namelist())
    assert {f"maps/{name}.png" for name in DEFAULT_METHODS} | {
        "comparison.png",
        "masks/0.2.png",
        "result.json",
    } <= names


def test_a_sweep_says_whether_rivals_beat_its_masks(stack: Stack) -> None:
    job = stack.finish(stack.post("goose", areas=[0.2], iterations=20, alternatives=0, contrast=False))
    found = stack.client.get(job["links"]["result"]).json()["extremality"]
    assert found["methods"] == ["center", "gradient", "grad_cam"]
    assert found["points"][0]["rank"] == 1
    unchecked = stack.finish(stack.post("goose", areas=[0.2], iterations=1, **MASKS_ONLY))
    assert stack.client.get(unchecked["links"]["result"]).json()["extremality"] is None


def test_unknown_methods_are_told_with_the_nearest(stack: Stack) -> None:
    answer = stack.client.post(
        "/v1/jobs",
        files={"image": (SAMPLES / "goose.jpg").read_bytes()},
        data={"params": '{"task": "compare", "methods": ["grad-cam"]}'},
    )
    assert answer.status_code == 422
    assert "did you mean grad_cam" in answer.text
