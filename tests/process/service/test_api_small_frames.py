"""Models whose frames are too small for masks: refused when they are asked for, not by a worker later."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.masks.cells import LEAST_SIDE
from ep_core.schemas.model_card import ModelCard
from worker.broker import catalogue


@pytest.fixture(autouse=True)
def small_models(redis: Redis, cards: list[ModelCard]) -> None:
    """Models of a frame too small by a pixel, and of one just large enough."""
    small = [
        cards[0].model_copy(update={"name": name, "input_size": (side, 40), "layers": None})
        for name, side in (("digits", LEAST_SIDE - 1), ("icons", LEAST_SIDE))
    ]
    catalogue.publish(redis, [*cards, *small])


@pytest.mark.parametrize("task", ["extremal", "compare"])
def test_masks_of_too_small_a_frame_are_refused(client: TestClient, png: bytes, task: str) -> None:
    answer = client.post(
        "/v1/jobs", files={"image": png}, data={"params": json.dumps({"task": task, "model": "digits"})}
    )
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "model"
    assert "a frame of 15 x 40 pixels is too small for masks: its shorter side must have at least 16" in str(error)


@pytest.mark.parametrize("params", [{"model": "icons"}, {"task": "channels", "model": "digits"}])
def test_what_fits_is_taken(client: TestClient, png: bytes, params: dict[str, str]) -> None:
    answer = client.post("/v1/jobs", files={"image": png}, data={"params": json.dumps(params)})
    assert answer.status_code == 202
