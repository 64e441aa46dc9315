"""Webhooks from the post to the receiver, through the API and its courier."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi.testclient import TestClient
from redis import Redis
from standardwebhooks import Webhook

from service.app import create_app
from service.run.embedded_redis import EmbeddedRedis
from service.settings import ApiSettings
from tests.process.service.receivers import Answering
from worker.broker.contract import JobState
from worker.broker.reuse import KnownResults
from worker.broker.store import JobStore

from .sending import SECRET, wait_until

Finish = Callable[[str], None]


@pytest.fixture
def open_client(redis_server: EmbeddedRedis, redis: Redis) -> Iterator[TestClient]:
    """A client of an API that sends webhooks, into this machine too."""
    settings = ApiSettings(redis_url=redis_server.url, allow_private_urls=True, webhook_secret=SECRET)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        yield client


def post(client: TestClient, png: bytes, **data: str) -> httpx.Response:
    params = '{"areas": [0.05, 0.1, 0.2]}'
    return client.post("/v1/jobs", files={"image": ("cat.png", png)}, data={"params": params} | data)


def test_one_is_sent_when_the_job_is_done(open_client: TestClient, png: bytes, finish: Finish) -> None:
    with Answering() as receiver:
        job = post(open_client, png, webhook=receiver.url).json()
        assert job["delivery"] == {"status": "pending", "attempts": [], "next_attempt_at": None}
        finish(job["id"])
        wait_until(lambda: receiver.requests)
        (request,) = receiver.requests
        wait_until(lambda: open_client.get(job["links"]["self"]).json()["delivery"]["attempts"])

    message = Webhook(SECRET).verify(request.body, request.headers)
    assert (message["type"], message["data"]["id"]) == ("job.succeeded", job["id"])
    assert open_client.get(message["data"]["links"]["result"]).status_code == 200
    delivery = open_client.get(job["links"]["self"]).json()["delivery"]
    assert (delivery["status"], delivery["attempts"][0]["status_code"]) == ("delivered", 204)
    assert 'ep_webhook_deliveries_total{outcome="delivered"} 1.0' in open_client.get("/metrics").text


def test_also_where_the_result_was_known(
    open_client: TestClient, redis: Redis, png: bytes, finish: Finish, store: JobStore
) -> None:
    first = post(open_client, png).json()["id"]
    finish(first)
    results = KnownResults(redis, retention_s=600)
    results.tell_model("mobilenet_v2", "sha256:b0353104")
    results.add(store.get(first).content, model="mobilenet_v2", job_id=first)
    with Answering() as receiver:
        assert post(open_client, png, webhook=receiver.url).json()["cached"]
        wait_until(lambda: receiver.requests)


def test_nothing_is_sent_of_a_removed_job(open_client: TestClient, png: bytes, redis: Redis, store: JobStore) -> None:
    with Answering() as receiver:
        job = post(open_client, png, webhook=receiver.url).json()
        attempt = store.start(job["id"], worker="test")
        open_client.delete(job["links"]["self"])
        assert not store.finish(job["id"], JobState.SUCCEEDED, attempt=attempt)

        assert redis.zcard("ep:deliveries") == 0
        other = post(open_client, png, webhook=receiver.url).json()["id"]
        assert store.finish(other, JobState.FAILED, attempt=store.start(other, worker="test"))
        wait_until(lambda: receiver.requests)  # what is sent at all is sent by now
    assert [request.headers["webhook-id"] for request in receiver.requests] == [f"msg_{other}"]


@pytest.mark.parametrize("url", ["http://example.com/", "https://user:pw@example.com/", "https://10.1.2.3/", "x", ""])
def test_bad_addresses_are_refused(redis_server: EmbeddedRedis, redis: Redis, png: bytes, url: str) -> None:
    app = create_app(ApiSettings(redis_url=redis_server.url, webhook_secret=SECRET))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = post(client, png, webhook=url)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "webhook")


def test_a_failed_job_says_so_too(open_client: TestClient, png: bytes, store: JobStore) -> None:
    with Answering() as receiver:
        job = post(open_client, png, webhook=receiver.url).json()
        attempt = store.start(job["id"], worker="test")
        store.finish(job["id"], JobState.FAILED, attempt=attempt)
        wait_until(lambda: receiver.requests)

    assert Webhook(SECRET).verify(receiver.requests[0].body, receiver.requests[0].headers)["type"] == "job.failed"
