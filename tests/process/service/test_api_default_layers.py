"""Requests without a layer, on models that have no default one, or whose records don't say yet which it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.model_card import ListedLayer, Surveyed
from worker.broker import catalogue

MODEL = "mobilenet_v2"
EMBEDDING = ListedLayer(name="conv_proj", type="Conv2d", channels=768, height=14, width=14, default_for=())


def post(client: TestClient, png: bytes, **params: Any) -> Any:
    asked = {"task": "channels", "model": MODEL} | params
    return client.post("/v1/jobs", files={"image": png}, data={"params": json.dumps(asked)})


@pytest.mark.parametrize("task", ["channels", "class_channels"])
def test_a_model_of_tokens_asks_for_a_layer(client: TestClient, redis: Redis, png: bytes, task: str) -> None:
    catalogue.publish_survey(redis, MODEL, Surveyed((EMBEDDING,), ("blur", "fade", "drop")))
    answer = post(client, png, task=task)
    assert answer.status_code == 422
    assert answer.json()["field"] == "layer"
    assert "`layer`: 'conv_proj'" in answer.json()["detail"]
    assert post(client, png, task=task, layer="conv_proj").status_code == 202


def test_records_of_earlier_versions_leave_it_to_the_worker(client: TestClient, redis: Redis, png: bytes) -> None:
    before = EMBEDDING.model_dump(mode="json", exclude={"default_for", "tokens"})
    redis.hset("ep:models:layers", MODEL, json.dumps([before]))
    assert client.get(f"/v1/models/{MODEL}").json()["layers"] == [before | {"default_for": None, "tokens": None}]
    assert post(client, png).status_code == 202
    assert post(client, png, layer="conv_prof").status_code == 422
