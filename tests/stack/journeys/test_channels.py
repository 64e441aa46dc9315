"""Inside the network, on the running stack: a photograph's channels, a class's channels, and mistakes."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.pictures import encode
from tests.running_stack import SAMPLES, Stack

pytestmark = pytest.mark.e2e

LAYER = "features.18"


@pytest.fixture(scope="module")
def bear(stack: Stack) -> dict[str, Any]:
    """The channels of the bear: its result."""
    return result_of(stack, stack.post("black_bear", task="channels", layer=LAYER, iterations=10))


@pytest.fixture(scope="module")
def inverted(stack: Stack) -> dict[str, Any]:
    """A result with inversions, of images of a quarter of the size: they take hundreds of steps."""
    params = {"model": "mobilenet_small", "layer": LAYER, "areas": [100, 300, 1280], "iterations": 10, "threshold": 0.5}
    return result_of(stack, stack.post("black_bear", task="channels", invert=True, **params))


def result_of(stack: Stack, posted: dict[str, Any]) -> dict[str, Any]:
    job = stack.finish(posted)
    assert job["status"] == "succeeded", job["error"]
    result: dict[str, Any] = stack.client.get(job["links"]["result"]).json()
    return result


def post_class(stack: Stack, images: dict[str, bytes], **params: Any) -> Any:
    return stack.client.post(
        "/v1/jobs",
        files=[("image", (name, data)) for name, data in images.items()],
        data={"params": json.dumps({"task": "class_channels", "layer": LAYER} | params)},
    )


def test_the_curve_rises_with_the_count_and_few_channels_suffice(bear: dict[str, Any]) -> None:
    assert bear["target"]["label"] == "American black bear"
    assert bear["layer"] == {"name": LAYER, "type": "Conv2dNormActivation", "channels": 1280, "height": 7, "width": 7}
    assert len(bear["curve"]) == 21
    assert [point["measured_area"] for point in bear["curve"]] == [point["area"] for point in bear["curve"]]
    below = [point["preserve"] for point in bear["curve"] if point["area"] <= bear["optimal_area"]]
    assert below == sorted(below)
    assert bear["optimal_area"] < 1280 / 4
    assert bear["curve"][-1]["preserve"] == pytest.approx(bear["scores"]["original"], abs=1e-3)
    assert len(bear["channels"]) == bear["optimal_area"]


def test_pictures_and_masks_are_there(stack: Stack, inverted: dict[str, Any]) -> None:
    files = {name: stack.client.get(link).content for name, link in inverted["artifacts"].items() if name != "result"}
    heat = np.asarray(Image.open(io.BytesIO(files["saliency"])))
    assert heat.shape == (427, 640, 3)
    full, masked = (np.asarray(Image.open(io.BytesIO(files[f"inversion_{name}"]))) for name in ("full", "masked"))
    assert full.shape == masked.shape == (112, 112, 3)
    assert np.abs(full.astype(int) - masked).mean() > 5
    masks = json.loads(files["channel_masks"])
    assert [sum(mask) for mask in masks["masks"]] == masks["areas"]
    with zipfile.ZipFile(io.BytesIO(files["bundle"])) as bundle:
        assert {"result.json", "masks.json", "inversions/comparison.png"} <= set(bundle.namelist())


def test_deleting_the_chosen_channels_hurts(stack: Stack) -> None:
    params = {"task": "channels", "layer": LAYER, "areas": [50, 200], "variant": "delete", "iterations": 5}
    job = stack.finish(stack.post("school_bus", **params))
    result = stack.client.get(job["links"]["result"]).json()
    assert result["scores"]["original"] > result["curve"][0]["delete"] > result["curve"][1]["delete"]


def test_a_class_from_several_images(stack: Stack) -> None:
    whole = Image.open(SAMPLES / "school_bus.jpg")
    images = {"whole.jpg": (SAMPLES / "school_bus.jpg").read_bytes()}
    for name, box in {"left.png": (0, 0, 400, whole.height), "front.png": (50, 50, 500, 400)}.items():
        images[name] = encode(whole.crop(box), "PNG")  # of another size each
    answer = post_class(
        stack, images, model="mobilenet_small", target="school bus", areas=[50, 150, 1280], iterations=5, top=1
    )
    assert answer.status_code == 202, answer.text
    job = stack.finish(answer.json())
    assert job["status"] == "succeeded", job["error"]
    result = stack.client.get(job["links"]["result"]).json()
    assert [image["name"] for image in result["images"]] == list(images)
    assert result["target"]["label"] == "school bus"
    assert all(image["optimal_area"] < 1280 for image in result["images"])  # with all channels, each weight were 1
    assert len(result["channels"]) == 1
    assert max(result["weights"]) == result["channels"][0]["weight"] > 0.5
    for channel in result["channels"]:
        assert Image.open(io.BytesIO(stack.client.get(channel["inversion"]).content)).size == (112, 112)
    sheet = Image.open(io.BytesIO(stack.client.get(job["links"]["sheet"]).content))
    assert sheet.width > 3 * 112


def test_layers_are_listed_and_mistakes_said(stack: Stack) -> None:
    layers = {layer["name"]: layer for layer in stack.client.get("/v1/models/mobilenet_v2").json()["layers"]}
    assert (layers["features.13"]["channels"], layers["features.13"]["height"]) == (96, 14)
    bear = (SAMPLES / "black_bear.jpg").read_bytes()
    for params, says in (
        ({"layer": "features.81"}, "features.18"),
        ({"layer": "classifier.1"}, "no layer with channels"),
        ({"layer": "features.13", "areas": [97]}, "use 1 to 96"),
        ({"areas": [0]}, "must be at least 1"),
    ):
        answer = stack.client.post(
            "/v1/jobs", files={"image": bear}, data={"params": json.dumps({"task": "channels"} | params)}
        )
        assert answer.status_code == 422
        assert says in answer.text
    answer = post_class(stack, {"a.jpg": bear, "b.jpg": b"no picture"})
    assert answer.status_code == 422
    assert "b.jpg" in answer.json()["detail"]
