"""`DELETE /v1/jobs`: one call removes all that a key has, and nothing of others."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from redis import Redis

from service.access.keys import ApiKey, hash_key
from service.app import create_app
from service.removal import service as removal
from service.settings import ApiSettings
from service.webhooks.schedule import Deliveries
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import JobState
from worker.broker.events import GONE_S
from worker.broker.queue import job_queue
from worker.broker.reuse import KnownResults
from worker.broker.store import JobStore

from .in_redis import contents, keys_with

ANN, BOB = "ep_ann", "ep_bob"
OWNER = "ann-of-the-first-key"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEYS = (
    ApiKey(name=OWNER, sha256=hash_key(ANN), webhook_secret=SECRET),
    ApiKey(name="bob", sha256=hash_key(BOB), webhook_secret=SECRET),
)
AREAS = {"areas": [0.05, 0.1, 0.2]}
Finish = Callable[[str], None]


@pytest.fixture
def clients(
    redis: Redis, settings: ApiSettings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], TestClient]]:
    """A function from a key to a client of an API that has keys; webhooks wait, as no courier takes them.

    That of the application that other tests share has the same Redis.
    """
    monkeypatch.setattr(Deliveries, "claim", lambda *_: [])
    app = create_app(settings.model_copy(update={"api_keys": KEYS, "max_queued": None}))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield lambda key: _as(client, key)


def _as(client: TestClient, key: str) -> TestClient:
    other = TestClient(client.app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    other.headers["Authorization"] = f"Bearer {key}"
    return other


def post(client: TestClient, image: bytes, *, key: str | None = None, **data: str) -> dict[str, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    sent = {"params": json.dumps(AREAS)} | data
    answer = client.post("/v1/jobs", files={"image": image}, data=sent, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


def delete_all(client: TestClient) -> httpx.Response:
    return client.delete("/v1/jobs", params={"all": "true"})


def remember(redis: Redis, store: JobStore, job_id: str, *, weights: str) -> None:
    """Publish a job's result for reuse, as a worker does."""
    results = KnownResults(redis, retention_s=600)
    results.tell_model("mobilenet_v2", weights)
    results.add(str(store.get(job_id).content), model="mobilenet_v2", job_id=job_id)


def fill(client: TestClient, redis: Redis, store: JobStore, png: bytes, finish: Finish) -> tuple[list[str], list[str]]:
    """Post jobs and batches in all ways, bring them to all states; return the ids of the jobs and of the batches."""
    waiting = post(client, png, key="first", webhook="https://example.com/hook", priority="low")
    running = post(client, png, keep_images="true")
    store.start(running["id"], worker="w", lease_s=60)
    done = post(client, png, keep_images="true", webhook="https://example.com/hook")
    finish(done["id"])
    remember(redis, store, done["id"], weights="sha256:old")
    remember(redis, store, done["id"], weights="sha256:new")
    known = post(client, png, key="second", keep_images="true")
    assert known["cached"]
    failed, canceled = post(client, png + b"\1"), post(client, png + b"\2")
    attempt = store.start(failed["id"], worker="w")
    assert store.finish(failed["id"], JobState.FAILED, attempt=attempt)
    assert store.finish(canceled["id"], JobState.CANCELED)
    batches = [
        client.post(
            "/v1/batches", files=[("image", png + bytes([k])) for k in (3, 4)], headers={"Idempotency-Key": key}
        )
        for key in ("third", "fourth")
    ]
    in_batches = [item["job"] for batch in batches for item in batch.json()["jobs"]]
    for job_id in in_batches[2:]:  # a batch whose jobs went one by one
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    jobs = [job["id"] for job in (waiting, running, done, known, failed, canceled)] + in_batches[:2]
    return jobs, [batch.json()["id"] for batch in batches]


def naming(*texts: str, redis: Redis) -> dict[bytes, list[bytes]]:
    """All in Redis that names one of these."""
    keys = {key for text in texts for key in keys_with(redis, text)}
    return {key: values for key, values in contents(redis).items() if key in keys}


def test_nothing_of_it_is_left_and_all_of_others(
    clients: Callable[[str], TestClient], redis: Redis, store: JobStore, png: bytes, finish: Finish
) -> None:
    ann, bob = clients(ANN), clients(BOB)
    his, his_batches = fill(bob, redis, store, png, finish)
    before = naming("bob", *his, *his_batches, redis=redis)
    assert len(before) > 40
    hers, her_batches = fill(ann, redis, store, png, finish)

    answer = delete_all(ann)

    assert (answer.status_code, answer.json()) == (200, {"deleted": len(hers)})
    assert naming(OWNER, *her_batches, redis=redis) == {}
    for job_id in hers:
        (tombstone,) = keys_with(redis, job_id)
        assert tombstone == f"ep:events:{job_id}".encode()
        assert 0 < redis.ttl(tombstone) <= GONE_S
    assert naming("bob", *his, *his_batches, redis=redis) == before
    assert len(bob.get("/v1/jobs").json()["jobs"]) == len(his)
    assert ann.get("/v1/jobs").json()["jobs"] == []
    assert delete_all(ann).json() == {"deleted": 0}


def test_a_worker_that_runs_one_stops(client: TestClient, store: JobStore, redis: Redis, png: bytes) -> None:
    job = post(client, png)
    attempt = store.start(job["id"], worker="w", lease_s=60)
    assert attempt is not None
    assert store.holds(job["id"], attempt=attempt)

    delete_all(client)

    assert not store.holds(job["id"], attempt=attempt)
    assert not store.renew(job["id"], attempt=attempt, lease_s=60)
    assert not store.finish(job["id"], JobState.SUCCEEDED, attempt=attempt)


@pytest.mark.parametrize("query", ["", "?all=false"])
def test_it_is_not_done_by_mistake(client: TestClient, png: bytes, query: str) -> None:
    job = post(client, png)
    answer = client.delete(f"/v1/jobs{query}")

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-input")
    assert answer.json()["errors"][0]["field"] == "all"
    assert "?all=true" in answer.json()["detail"]
    assert client.get(job["links"]["self"]).status_code == 200


def test_without_keys_it_is_all_that_there_is(
    client: TestClient, clients: Callable[[str], TestClient], redis: Redis, png: bytes
) -> None:
    post(clients(BOB), png)
    post(client, png)

    assert delete_all(client).json() == {"deleted": 2}
    assert keys_with(redis, "bob") == []


def test_request_keys_are_free_again(client: TestClient, png: bytes) -> None:
    first = post(client, png, key="a-key")
    delete_all(client)
    second = client.post("/v1/jobs", files={"image": png}, headers={"Idempotency-Key": "a-key"})

    assert second.status_code == 202
    assert second.json()["id"] != first["id"]


def test_records_that_no_version_can_read_go_too(client: TestClient, redis: Redis, png: bytes) -> None:
    job = post(client, png)
    redis.hset(f"ep:job:{job['id']}", "params", "no JSON")

    assert delete_all(client).json() == {"deleted": 1}
    assert keys_with(redis, job["id"]) == [f"ep:events:{job['id']}".encode()]


def test_others_are_answered_meanwhile_and_what_they_post_stays(
    client: TestClient, redis: Redis, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job is posted between the first slice and the others."""
    monkeypatch.setattr(removal, "SLICE", 2)
    jobs = [post(client, png + bytes([k])) for k in range(5)]
    begun, go_on, real = threading.Event(), threading.Event(), RedisBlobs.delete

    def delete(blobs: RedisBlobs, job_id: str) -> None:
        begun.set()
        assert go_on.wait(10)
        real(blobs, job_id)

    monkeypatch.setattr(RedisBlobs, "delete", delete)
    answers: list[httpx.Response] = []
    deleting = threading.Thread(target=lambda: answers.append(delete_all(client)))
    deleting.start()
    assert begun.wait(10)
    new = post(client, png)
    go_on.set()
    deleting.join()

    assert answers[0].json() == {"deleted": 5}
    assert [client.get(job["links"]["self"]).status_code for job in [new, *jobs]] == [200] + [404] * 5
    assert job_queue(redis).job_ids == [new["id"]]
