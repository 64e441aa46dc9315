"""Batches: many images at once, a job for each that can be used."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from tests.pictures import encode
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import INPUT, JobProgress, JobState, Priority
from worker.broker.queue import job_queue
from worker.broker.store import JobStore

PARAMS = '{"areas": [0.05, 0.1, 0.2]}'
Finish = Callable[[str], None]


def pictures(count: int) -> list[bytes]:
    """Small images, all different."""
    return [encode(Image.new("RGB", (32, 24), (k, 0, 0)), "PNG") for k in range(count)]


def post(client: TestClient, *images: bytes, headers: dict[str, str] | None = None, **data: str) -> httpx.Response:
    files = [("image", (f"{k}.png", image)) for k, image in enumerate(images)]
    return client.post("/v1/batches", files=files, data={"params": PARAMS} | data, headers=headers)


def jobs_of(batch: dict[str, Any]) -> list[str]:
    return [item["job"] for item in batch["jobs"]]


def test_each_image_becomes_a_job(client: TestClient, redis: Redis, store: JobStore) -> None:
    images = pictures(3)
    answer = post(client, *images)

    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert answer.headers["location"] == batch["links"]["self"] == f"/v1/batches/{batch['id']}"
    assert job_queue(redis).job_ids == jobs_of(batch)
    assert [RedisBlobs(redis).get(job_id, INPUT) for job_id in jobs_of(batch)] == images
    assert (batch["done"], batch["fraction"], batch["counts"]) == (False, 0, {"queued": 3})
    assert [item["name"] for item in batch["jobs"]] == ["0.png", "1.png", "2.png"]
    assert client.get(batch["links"]["self"]).json() == batch
    assert batch["links"]["dashboard"] == f"/#/batch/{batch['id']}"
    job = client.get(batch["jobs"][0]["link"]).json()
    assert (job["batch"], job["links"]["batch"]) == (batch["id"], batch["links"]["self"])
    assert store.get(job["id"]).images == ["0.png"]


def test_json_does_too(client: TestClient) -> None:
    images = [base64.b64encode(image).decode() for image in pictures(2)]
    batch = client.post("/v1/batches", json={"images": images, "params": json.loads(PARAMS), "priority": "low"}).json()

    assert batch["counts"] == {"queued": 2}


def test_bad_images_do_not_lose_the_others(client: TestClient, redis: Redis) -> None:
    good, other = pictures(2)
    batch = post(client, good, b"no image", other, b"\xff" * 300_001, b"").json()

    assert batch["counts"] == {"queued": 2, "unusable": 3}
    problems = [item["error"] and item["error"]["type"] for item in batch["jobs"]]
    assert problems == [
        None,
        "/problems/unreadable-image",
        None,
        "/problems/upload-too-large",
        "/problems/unreadable-image",
    ]
    assert [item["status"] for item in batch["jobs"]] == ["queued", None, "queued", None, None]
    assert len(job_queue(redis).job_ids) == 2


def test_bad_base64_does_not_lose_the_others(client: TestClient) -> None:
    good = base64.b64encode(pictures(1)[0]).decode()
    batch = client.post("/v1/batches", json={"images": [good, "*"]}).json()

    assert batch["counts"] == {"queued": 1, "unusable": 1}
    assert "base64" in batch["jobs"][1]["error"]["detail"]


def test_where_no_image_can_be_used_it_is_an_error(client: TestClient, redis: Redis) -> None:
    answer = post(client, b"no image", b"neither")

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-input")
    assert [error["field"] for error in answer.json()["errors"]] == ["image.0", "image.1"]
    assert not redis.keys("ep:batch:*")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"params": '{"areas": [2]}'}, "areas.0"),
        ({"params": '{"model": "mobilenet"}'}, "model"),
        ({"params": '{"task": "class_channels", "target": 1}'}, "task"),
        ({"priority": "high"}, "priority"),
        ({"imgae": "x"}, "imgae"),
    ],
)
def test_what_holds_for_all_is_checked_once(client: TestClient, redis: Redis, data: dict[str, str], field: str) -> None:
    answer = post(client, *pictures(2), **data)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not redis.keys("ep:job:*")


def test_it_has_no_more_images_than_it_may(client: TestClient) -> None:
    client.app.state.services.settings.max_batch_images = 3
    try:
        answer = post(client, *pictures(4))
    finally:
        client.app.state.services.settings.max_batch_images = 100

    assert answer.status_code == 422
    assert "at most 3 are taken in one batch" in answer.json()["detail"]


def test_progress_and_results(client: TestClient, store: JobStore, finish: Finish) -> None:
    batch = post(client, *pictures(3), b"no image").json()
    first, second, third, _ = jobs_of(batch)
    finish(first)
    attempt = store.start(second, worker="test")
    store.update(second, attempt=attempt, progress=JobProgress(iteration=5, total=10, fraction=0.5), partial_curve=[])

    now = client.get(batch["links"]["self"]).json()

    assert (now["done"], now["fraction"]) == (False, 0.5)
    assert now["counts"] == {"succeeded": 1, "running": 1, "queued": 1, "unusable": 1}
    results = client.get(batch["links"]["results"]).json()
    assert [one["status"] for one in results["results"]] == ["succeeded", "running", "queued", None]
    assert results["results"][0]["result"]["id"] == first
    assert results["results"][0]["result"]["artifacts"]["saliency"] == f"/v1/jobs/{first}/saliency.png"
    assert results["results"][3]["error"]["type"] == "/problems/unreadable-image"

    store.finish(second, JobState.SUCCEEDED, attempt=attempt)
    finish(third)
    assert client.get(batch["links"]["self"]).json()["done"]


def test_a_job_that_was_removed_is_gone(client: TestClient) -> None:
    batch = post(client, *pictures(2)).json()
    client.delete(batch["jobs"][0]["link"])

    now = client.get(batch["links"]["self"]).json()

    assert now["counts"] == {"gone": 1, "queued": 1}
    assert client.get(batch["links"]["results"]).json()["results"][0]["error"]["status"] == 404


def test_deleting_it_leaves_nothing(client: TestClient, redis: Redis) -> None:
    before = set(redis.keys("*"))
    batch = post(client, *pictures(3), headers={"Idempotency-Key": "k"}).json()

    assert client.delete(batch["links"]["self"]).status_code == 204
    assert client.get(batch["links"]["self"]).status_code == 404
    left = {key for key in set(redis.keys("*")) - before if not key.startswith(b"ep:events:")}
    assert left <= {b"rq:queues", b"ep:janitor"}


def test_sent_again_it_is_the_same(client: TestClient, redis: Redis) -> None:
    headers = {"Idempotency-Key": "k"}
    first, again = post(client, *pictures(2), headers=headers), post(client, *pictures(2), headers=headers)

    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(job_queue(redis).job_ids) == 2
    assert post(client, *pictures(3), headers=headers).status_code == 409


def test_a_full_queue_takes_what_it_can(client: TestClient) -> None:
    client.app.state.services.settings.max_queued = 2
    try:
        batch = post(client, *pictures(3))
        refused = post(client, *pictures(1))
    finally:
        client.app.state.services.settings.max_queued = None

    assert batch.json()["counts"] == {"queued": 2, "unusable": 1}
    assert batch.json()["jobs"][2]["error"]["type"] == "/problems/queue-full"
    assert client.get(batch.json()["links"]["self"]).json() == batch.json()
    assert refused.status_code == 429


def test_that_cannot_be_queued_leaves_nothing(
    client: TestClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(redis.keys("*"))
    real, calls = job_queue, []

    def fail_later(redis: Redis, priority: Priority) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("no queue")
        return real(redis, priority)

    monkeypatch.setattr("worker.broker.queue.job_queue", fail_later)
    answer = post(client, *pictures(3))

    assert answer.status_code == 500
    left = {key for key in set(redis.keys("*")) - before if not key.startswith(b"ep:events:")}
    assert left <= {b"rq:queues", b"ep:janitor"}


def test_it_goes_some_time_after_its_last_job(client: TestClient, redis: Redis, finish: Finish) -> None:
    batch = post(client, *pictures(2)).json()
    key = f"ep:batch:{batch['id']}"

    assert redis.ttl(key) == -1  # while jobs wait, however long
    for job_id in jobs_of(batch):
        finish(job_id)
    assert 0 < redis.ttl(key) <= 24 * 3600
