"""Fixtures for the API: a real Redis, the application on it, and what workers would have written there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from ep_core.schemas.model_card import ListedLayer, ModelCard
from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.reports.file_names import (
    CONTRAST_KEY,
    CURVE,
    PAGE,
    RESULT,
    REVEAL,
    SALIENCY,
    alternative_key,
    mask_name,
    overlay_name,
)
from service.app import create_app
from service.jobs.examples import REPORT
from service.run.embedded_redis import EmbeddedRedis
from service.settings import ApiSettings
from tests.pictures import encode
from worker.broker import catalogue
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import INPUT, JobState
from worker.broker.store import JobStore

LABELS = ("goldfish", "American black bear", "brown bear", "crane", "crane", "Persian cat")

LAYERS = [
    ListedLayer(name="features.8", type="InvertedResidual", channels=64, height=14, width=14, default_for=()),
    ListedLayer(
        name="features.13",
        type="InvertedResidual",
        channels=96,
        height=14,
        width=14,
        default_for=("channels", "excitation_backprop"),
    ),
    ListedLayer(
        name="features.18",
        type="Conv2dNormActivation",
        channels=1280,
        height=7,
        width=7,
        default_for=("grad_cam",),
    ),
]


@pytest.fixture(scope="session")
def cards() -> list[ModelCard]:
    """The models of a worker."""
    return [
        ModelCard(
            name="mobilenet_v2", source="torchvision", input_size=(224, 224), labels=LABELS, layers=tuple(LAYERS)
        ),
        ModelCard(name="timm:org/resnet10t.c3_in1k", source="timm", input_size=(176, 176), labels=LABELS),
    ]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(redis_server: EmbeddedRedis, cards: list[ModelCard]) -> Iterator[Redis]:
    """An empty Redis, the models of a worker that has started published in it."""
    client = Redis.from_url(redis_server.url)
    client.flushall()
    catalogue.publish(client, cards)
    yield client
    client.close()


@pytest.fixture(scope="session")
def settings(redis_server: EmbeddedRedis) -> ApiSettings:
    return ApiSettings(
        redis_url=redis_server.url,
        max_upload_bytes=300_000,
        max_total_upload_bytes=400_000,
        max_images=4,
        max_pixels=1_000_000,
    )


@pytest.fixture(scope="session")
def running_app(settings: ApiSettings) -> Iterator[TestClient]:
    address = "http://127.0.0.1"
    with TestClient(create_app(settings), base_url=address, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(redis: Redis, running_app: TestClient) -> TestClient:
    """A client of the API on an empty Redis; it sees the server's 500s as a real one would."""
    return running_app


@pytest.fixture
def store(redis: Redis) -> JobStore:
    return JobStore(redis, retention_s=3600)


@pytest.fixture(scope="session")
def png() -> bytes:
    """A small whole image."""
    return encode(Image.new("RGB", (32, 24), "teal"), "PNG")


@pytest.fixture
def post(client: TestClient, png: bytes) -> Callable[[], str]:
    """A function that posts a job as the example report's and returns its id."""

    def post() -> str:
        answer = client.post("/v1/jobs", files={"image": png}, data={"params": '{"areas": [0.05, 0.1, 0.2]}'})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    return post


@pytest.fixture
def finish(redis: Redis, store: JobStore, png: bytes) -> Callable[[str], None]:
    """A function that finishes a posted job as a worker does that explains it."""

    def finish(job_id: str) -> None:
        attempt = store.start(job_id, worker="test")
        blobs = RedisBlobs(redis)
        report = ExtremalReport.model_validate(REPORT)
        blobs.put(job_id, RESULT, report.model_dump_json().encode())
        for key in (*(point.area for point in report.curve), alternative_key(0), CONTRAST_KEY):
            for name in (mask_name(key), mask_name(key, frame="model"), overlay_name(key)):
                blobs.put(job_id, name, f"picture {name}".encode())
        blobs.put(job_id, SALIENCY, png)
        blobs.put(job_id, CURVE, b"<svg/>")
        blobs.put(job_id, PAGE, b"<!DOCTYPE html>")
        blobs.put(job_id, REVEAL, b"RIFF")
        assert store.finish(job_id, JobState.SUCCEEDED, attempt=attempt)
        blobs.remove(job_id, INPUT)

    return finish


@pytest.fixture
def no_job_is_left(redis: Redis) -> Iterator[None]:
    """After the test, neither a job nor anything of one is in Redis."""
    yield
    assert redis.keys("ep:job:*") == redis.keys("ep:blobs:*") == redis.keys("rq:job:*") == []
