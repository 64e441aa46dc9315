"""Perturbations that a model takes: its card says them, and the others are refused when they are asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.model_card import ModelCard, Surveyed
from worker.broker import catalogue


@pytest.fixture(autouse=True)
def three_models(redis: Redis, cards: list[ModelCard]) -> None:
    """A transformer, a network of convolutions, and one that isn't known yet."""
    names = {"vit": ("blur", "fade", "drop"), "convolutional": ("blur", "fade"), "unknown": None}
    models = [
        cards[0].model_copy(update={"name": name, "layers": None, "perturbations": taken})
        for name, taken in names.items()
    ]
    catalogue.publish(redis, [*cards, *models])


def post(client: TestClient, png: bytes, **params: Any) -> Any:
    return client.post("/v1/jobs", files={"image": png}, data={"params": json.dumps(params)})


def test_a_card_says_what_its_model_takes(client: TestClient) -> None:
    shown = {
        name: client.get(f"/v1/models/{name}").json()["perturbations"] for name in ("vit", "convolutional", "unknown")
    }
    assert shown == {"vit": ["blur", "fade", "drop"], "convolutional": ["blur", "fade"], "unknown": None}
    assert "perturbations" not in client.get("/v1/models").json()["models"][0]


@pytest.mark.parametrize("task", ["extremal", "compare"])
def test_a_model_that_needs_all_of_its_patches_is_refused(client: TestClient, png: bytes, task: str) -> None:
    answer = post(client, png, task=task, model="convolutional", perturbation="drop")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "perturbation"
    assert "model 'convolutional' can't do without any" in str(error)


@pytest.mark.parametrize("model", ["vit", "unknown"])  # of the second, the worker finds out
def test_others_are_taken(client: TestClient, png: bytes, model: str) -> None:
    assert post(client, png, model=model, perturbation="drop").status_code == 202
    assert post(client, png, model=model, perturbation="blur").status_code == 202


def test_channels_have_no_perturbation(client: TestClient, png: bytes) -> None:
    answer = post(client, png, task="channels", model="vit", perturbation="drop")
    assert answer.status_code == 422
    assert "perturbation" in str(answer.json()["errors"])


@pytest.mark.parametrize("more", [{"preset": "paper"}, {"sigma_max": 3}])
def test_what_drop_has_no_use_for_is_refused(client: TestClient, png: bytes, more: dict[str, Any]) -> None:
    answer = post(client, png, model="vit", perturbation="drop", **more)
    assert answer.status_code == 422
    assert "perturbation 'drop'" in answer.json()["detail"]


def test_a_survey_replaces_what_was_known(redis: Redis) -> None:
    catalogue.publish_survey(redis, "unknown", Surveyed((), ("blur", "fade", "drop")), version="1")
    assert catalogue.get(redis, "unknown").perturbations == ("blur", "fade", "drop")
    assert catalogue.survey_of(redis, "unknown", "1") == ((), ("blur", "fade", "drop"))
    redis.hdel("ep:models:perturbations", "unknown")  # as in records of earlier versions
    assert catalogue.survey_of(redis, "unknown", "1") is None
