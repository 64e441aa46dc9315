"""Boxes of detectors and segments of segmenters: what can be told without the image is told at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.model_card import BOX_TARGETS, SEGMENT_TARGETS, ModelCard
from worker.broker import catalogue

from .problems import problem_of

LABELS = ("person", "dog")
DOG = {"box": [40, 60, 320, 400], "label": "dog"}
PIXELS = {"segment": "dog", "within": None}


@pytest.fixture(autouse=True)
def networks(redis: Redis, cards: list[ModelCard]) -> None:
    """Let the workers offer a detector and a segmenter, too."""
    named = {"detector": BOX_TARGETS, "segmenter": SEGMENT_TARGETS}
    places = [
        ModelCard(name=name, source="torchvision", input_size=(320, 320), labels=LABELS, targets=targets)
        for name, targets in named.items()
    ]
    catalogue.publish(redis, [*cards, *places])


def post(client: TestClient, png: bytes, **params: Any) -> Any:
    return client.post("/v1/jobs", files={"image": png}, data={"params": json.dumps(params)})


@pytest.mark.parametrize(
    ("model", "target"),
    [
        ("detector", DOG),
        ("detector", {"box": [0.5, 0, 1.5, 1]}),
        ("detector", "dog"),
        ("segmenter", PIXELS),
        ("segmenter", {"segment": 1, "within": [40, 60, 320, 400]}),
    ],
)
def test_a_place_is_taken_as_it_was_asked(client: TestClient, png: bytes, model: str, target: Any) -> None:
    answer = post(client, png, model=model, target=target)
    assert answer.status_code == 202
    asked = client.get(f"/v1/jobs/{answer.json()['id']}").json()["params"]["target"]
    assert asked == target if isinstance(target, str) else asked.items() >= target.items()


@pytest.mark.parametrize(
    ("model", "target", "field", "says"),
    [
        ("mobilenet_v2", DOG, "target", "'mobilenet_v2' detects no objects: name a class, or choose a detector"),
        ("segmenter", DOG, "target", "detects no objects"),
        ("detector", PIXELS, "target", "'detector' segments nothing: name a class, or choose a segmenter"),
        ("detector", DOG | {"label": "dgo"}, "target", "dog"),
        ("segmenter", {"segment": 2}, "target", "0 to 1"),
        ("detector", {"box": [40, 60, 40, 400]}, "target.box", "left < right"),
        ("detector", {"box": [40, 60, 320]}, "target.box", "target.box"),
        ("segmenter", {"segment": "dog", "within": "mask"}, "target.within", "target_mask"),
    ],
)
@pytest.mark.usefixtures("no_job_is_left")
def test_a_place_that_cannot_be_is_told(
    client: TestClient, png: bytes, model: str, target: Any, field: str, says: str
) -> None:
    problem = problem_of(post(client, png, model=model, target=target))
    assert problem.status == 422
    assert problem.errors[0].field.startswith(field)
    assert says in problem.detail


@pytest.mark.usefixtures("no_job_is_left")
def test_a_place_of_many_images_is_told(client: TestClient, png: bytes) -> None:
    problem = problem_of(post(client, png, model="detector", task="class_channels", target=DOG))
    assert problem.status == 422
    assert "at a place of one image" in problem.detail


def test_models_say_which_targets_they_take(client: TestClient) -> None:
    targets = {name: client.get(f"/v1/models/{name}").json()["targets"] for name in ("detector", "segmenter")}
    assert targets == {"detector": ["class", "contrast", "box"], "segmenter": ["class", "contrast", "segment"]}
