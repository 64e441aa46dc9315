"""A request sent again makes no second job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from redis import Redis

from worker.broker.queue import job_queue

KEY = "8e03978e-40d5-43e6-bc93-6894a57f9324"
Finish = Callable[[str], None]


def send(client: TestClient, png: bytes, *, key: str = KEY, **sent: Any) -> httpx.Response:
    form = {"files": {"image": ("a.png", png)}, "data": {"params": '{"seed": 1}'}} | sent
    return client.post("/v1/jobs", headers={"Idempotency-Key": key}, **form)


def test_the_same_request_makes_one_job(client: TestClient, redis: Redis, png: bytes, finish: Finish) -> None:
    first, second = send(client, png), send(client, png, files={"image": ("renamed.png", png)})

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert job_queue(redis).job_ids == [first.json()["id"]]
    finish(first.json()["id"])
    third = send(client, png)
    assert (third.status_code, third.json()["status"]) == (200, "succeeded")


def test_the_key_of_another_request_is_refused(client: TestClient, png: bytes) -> None:
    send(client, png)

    other_params = send(client, png, data={"params": '{"seed": 2}'})
    other_image = send(client, png + b"\0")

    for answer in (other_params, other_image):
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/key-reused")
    assert send(client, png, key="another", data={"params": '{"seed": 2}'}).status_code == 202


def test_a_removed_job_frees_its_key(client: TestClient, redis: Redis, png: bytes) -> None:
    first = send(client, png)
    client.delete(first.headers["location"])
    assert not list(redis.scan_iter("ep:request:*"))

    again = send(client, png, data={"params": '{"seed": 2}'})

    assert again.status_code == 202
    assert again.json()["id"] != first.json()["id"]


def test_a_job_that_is_gone_is_made_again(
    client: TestClient, redis: Redis, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.jobs.idempotency.BEING_MADE_S", 0.1)
    first = send(client, png).json()["id"]
    redis.delete(f"ep:job:{first}")

    again = send(client, png)

    assert again.status_code == 202
    assert again.json()["id"] != first
    assert "idempotent-replayed" not in again.headers


def test_a_request_that_failed_can_be_sent_again(
    client: TestClient, redis: Redis, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no queue")

    with monkeypatch.context() as patched:
        patched.setattr("worker.broker.queue.enqueue", fail)
        assert send(client, png).status_code == 500
    assert not list(redis.scan_iter("ep:request:*"))
    assert send(client, png).status_code == 202


def test_at_the_same_time_one_job_is_made(client: TestClient, redis: Redis, png: bytes) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(send(client, png).json()["id"])) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 12
    assert job_queue(redis).job_ids == [ids[0]] == list(set(ids))


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_that_is_none_is_refused(client: TestClient, png: bytes, key: str) -> None:
    answer = send(client, png, key=key)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "idempotency-key"
