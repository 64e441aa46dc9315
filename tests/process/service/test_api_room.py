"""Posts to a Redis that has no room for their jobs: refused, with nothing left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from ep_core.schemas.specs import ExtremalSpec
from service.app import create_app
from service.settings import ApiSettings
from tests.pictures import encode
from worker.broker import catalogue
from worker.broker.reserved import Room, job_bytes
from worker.broker.reuse import KnownResults
from worker.broker.scripts import SPARE
from worker.broker.store import JobStore

SIZE = (400, 300)
MANY = json.dumps({"areas": [k / 64 for k in range(1, 64)]})
Finish = Callable[[str], None]


@pytest.fixture(scope="module")
def png() -> bytes:
    """A picture of few bytes, of whose job much is expected."""
    return encode(Image.new("RGB", SIZE, "teal"), "PNG")


@pytest.fixture
def set_room(redis: Redis) -> Iterator[Callable[[float], None]]:
    """A function that lets Redis have room for so many more jobs of the default parameters."""

    def set_room(jobs: float) -> None:
        redis.config_set("maxmemory", 0)
        used = redis.info("memory")["used_memory"] + Room(redis).reserved()
        redis.config_set("maxmemory", round((used + jobs * needed(redis)) * SPARE / (SPARE - 1)))

    yield set_room
    redis.config_set("maxmemory", 0)


def needed(redis: Redis) -> int:
    return job_bytes(ExtremalSpec(), [SIZE], catalogue.outline(redis, "mobilenet_v2"), with_files=True)


def post(client: TestClient, png: bytes, params: str = "{}", **more: object) -> httpx.Response:
    return client.post("/v1/jobs", files={"image": png}, data={"params": params}, **more)


def test_a_job_without_room_is_refused_for_now(
    client: TestClient, redis: Redis, png: bytes, set_room: Callable[[float], None]
) -> None:
    set_room(1.5)
    accepted = post(client, png)
    assert accepted.status_code == 202
    assert Room(redis).reserved() == needed(redis)
    before = set(redis.keys("*"))
    refused = post(client, png, headers={"Idempotency-Key": "once"})
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
    assert "no room" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 0
    assert set(redis.keys("*")) == before

    assert client.delete(accepted.json()["links"]["self"]).status_code == 204
    assert Room(redis).reserved() == 0
    assert post(client, png, headers={"Idempotency-Key": "once"}).status_code == 202


def test_a_job_that_never_fits_is_told_what_to_change(
    client: TestClient, png: bytes, set_room: Callable[[float], None]
) -> None:
    set_room(1.5)
    refused = post(client, png, MANY)
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/job-too-large")
    assert "fewer areas" in refused.json()["detail"]
    assert "retry-after" not in refused.headers


def test_others_that_come_between_look_and_record_are_seen(
    client: TestClient, redis: Redis, store: JobStore, png: bytes, set_room: Callable[[float], None]
) -> None:
    set_room(1.5)
    services = client.app.state.services
    room, look = services.submissions._room, services.submissions._room.check

    def look_before_another(*args: object, **more: object) -> None:
        look(*args, **more)
        assert post(TestClient(create_app(services.settings), base_url="http://127.0.0.1"), png).is_success

    room.check = look_before_another
    try:
        refused = post(client, png)
    finally:
        room.check = look
    assert refused.status_code == 503
    assert len(store.queued()) == redis.llen("rq:queue:extremal") == len(redis.keys("ep:blobs:*")) == 1
    assert Room(redis).reserved() == needed(redis)


def test_a_batch_takes_what_has_room(client: TestClient, png: bytes, set_room: Callable[[float], None]) -> None:
    set_room(2.5)
    batch = client.post("/v1/batches", files=[("image", (f"{k}.png", png)) for k in range(3)], data={"reuse": "false"})
    assert batch.status_code == 202
    assert batch.json()["counts"] == {"queued": 2, "unusable": 1}
    assert batch.json()["jobs"][2]["error"]["type"] == "/problems/unavailable"
    refused = client.post("/v1/batches", files=[("image", ("4.png", png))])
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)


def test_a_known_result_needs_room_too(
    client: TestClient, redis: Redis, store: JobStore, png: bytes, finish: Finish, set_room: Callable[[float], None]
) -> None:
    params = '{"areas": [0.05, 0.1, 0.2]}'
    job_id = str(post(client, png, params).json()["id"])
    finish(job_id)
    results = KnownResults(redis, retention_s=600)
    results.tell_model("mobilenet_v2", "sha256:b0353104")
    results.add(store.get(job_id).content, model="mobilenet_v2", job_id=job_id)
    set_room(0.1)
    assert post(client, png, params).status_code == 413
    set_room(2)
    known = post(client, png, params)
    assert (known.status_code, known.json()["cached"]) == (200, True)
    assert Room(redis).reserved() == 0


def test_files_elsewhere_need_no_room_in_redis(
    redis: Redis, settings: ApiSettings, png: bytes, tmp_path: object, set_room: Callable[[float], None]
) -> None:
    elsewhere = settings.model_copy(update={"blob_url": f"file://{tmp_path}"})
    with TestClient(create_app(elsewhere), base_url="http://127.0.0.1") as client:
        set_room(0.2)
        assert post(client, png).status_code == 202
    assert 0 < Room(redis).reserved() < 0.2 * needed(redis)
