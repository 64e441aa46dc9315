"""Models that something is wrong with say so in the list, and each by itself."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from redis import Redis

from ep_core.models.sources.catalogue import list_models
from worker.broker import catalogue


def test_a_models_warnings_are_shown(client: TestClient, redis: Redis, tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(
        '[models.mine]\ntorchvision = "mobilenet_v2"\n'
        "preprocessing = { mean = [123.675, 116.28, 103.53], std = [58.395, 57.12, 57.375] }\n"
    )
    catalogue.publish(redis, list_models(tmp_path / "models.toml"))
    (listed,) = client.get("/v1/models").json()["models"]
    alone = client.get("/v1/models/mine").json()
    (warning,) = listed["warnings"]
    assert alone["warnings"] == [warning]
    assert warning["kind"] == "preprocessing"
    assert "mean = [0.485, 0.456, 0.406]" in warning["detail"]


def test_models_without_any_have_none(client: TestClient) -> None:
    assert [model["warnings"] for model in client.get("/v1/models").json()["models"]] == [[], []]


def test_cards_of_earlier_workers_have_none(client: TestClient, redis: Redis) -> None:
    stored = redis.hget("ep:models", "mobilenet_v2")
    assert stored is not None
    redis.hset("ep:models", "mobilenet_v2", stored.replace(b'"warnings":[],', b"").replace(b',"warnings":[]', b""))
    assert b"warnings" not in redis.hget("ep:models", "mobilenet_v2")
    assert client.get("/v1/models/mobilenet_v2").json()["warnings"] == []
