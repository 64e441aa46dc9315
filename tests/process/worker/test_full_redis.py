"""A full Redis: what has been accepted is run, what is not is refused, and room that comes free is given again."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from service.app import create_app
from service.run.embedded_redis import EmbeddedRedis
from service.settings import ApiSettings
from worker.broker.queue import connect
from worker.broker.reserved import Room

from .small_jobs import TINY

if TYPE_CHECKING:
    from conftest import WorkerProcess

PARAMS = json.dumps(TINY | {"areas": [0.1, 0.3, 0.6]})
PATIENCE = {"EP_JOB_TIMEOUT_S": "5"}  # a worker that finds no room gives its job up soon


@pytest.fixture
def redis(tmp_path: Path, start_worker: Callable[..., WorkerProcess]) -> Iterator[Redis]:
    """A Redis of 10 MB, with a worker."""
    with EmbeddedRedis(tmp_path / "redis") as server, connect(server.url) as redis:
        redis.config_set("maxmemory", "10mb")
        start_worker(server.url, EP_PRELOAD="none", **PATIENCE).wait_ready(redis)
        yield redis


@pytest.fixture
def client(redis: Redis) -> Iterator[TestClient]:
    settings = ApiSettings(redis_url=_url(redis))
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        yield client


def _url(redis: Redis) -> str:
    about = redis.connection_pool.connection_kwargs
    return f"redis://:{about['password']}@{about['host']}:{about['port']}/0"


def post(client: TestClient, seed: int) -> httpx.Response:
    """Post noise, of which a result takes about half a megabyte."""
    noise = np.random.default_rng(seed).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return client.post("/v1/jobs", files={"image": file.getvalue()}, data={"params": PARAMS})


def finished(client: TestClient, job_id: str) -> dict[str, object]:
    deadline = time.monotonic() + 120
    while (job := client.get(f"/v1/jobs/{job_id}").json())["status"] in ("queued", "running"):
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
    return job


def test_no_accepted_job_fails_and_what_goes_makes_room(client: TestClient, redis: Redis) -> None:
    answers = [post(client, seed) for seed in range(24)]
    accepted = [answer.json()["id"] for answer in answers if answer.status_code == 202]
    ended = [finished(client, job_id) for job_id in accepted]
    assert [job["error"] for job in ended if job["status"] != "succeeded"] == []
    refused = [answer for answer in answers if answer.status_code != 202]
    assert {answer.json()["type"] for answer in refused} == {"/problems/unavailable"}
    assert all(answer.status_code == 503 and int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert len(accepted) >= 3

    while (answer := post(client, len(answers))).status_code == 202:  # until results have filled it
        answers.append(answer)
        accepted.append(answer.json()["id"])
        ended.append(finished(client, accepted[-1]))
    assert [job["error"] for job in ended if job["status"] != "succeeded"] == []
    assert (answer.status_code, Room(redis).reserved()) == (503, 0)

    for job_id in accepted[: len(accepted) // 2]:
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    again = post(client, len(answers))
    assert again.status_code == 202
    assert finished(client, again.json()["id"])["status"] == "succeeded"
    assert Room(redis).reserved() == 0
