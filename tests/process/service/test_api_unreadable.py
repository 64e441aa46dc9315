"""Whatever lies in the store as a result, no answer is a 500."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.reports.file_names import RESULT
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import JobState
from worker.broker.reuse import KnownResults
from worker.broker.store import JobStore

PARAMS = '{"areas": [0.05, 0.1, 0.2]}'
PARTS = ("result", "bundle.zip", "masks/contrast.png", "masks/0.1.png", "overlays/0.1.png", "saliency.png", "curve.svg")


def not_finite(stored: bytes) -> bytes:
    """A result as it was stored of a network whose scores are NaN: JSON has no such number."""
    report = json.loads(stored)
    report["curve"][0]["preserve"] = None
    return json.dumps(report).encode()


@pytest.fixture(params=[not_finite, lambda _: b"{}", lambda _: b"\xff\x00 no JSON"], ids=["nan", "empty", "garbage"])
def job_id(request: pytest.FixtureRequest, redis: Redis, post: Callable[[], str], finish: Callable[[str], None]) -> str:
    """A job that has succeeded, with a result that can't be read."""
    job_id, blobs = post(), RedisBlobs(redis)
    finish(job_id)
    stored = blobs.get(job_id, RESULT)
    assert stored is not None
    blobs.put(job_id, RESULT, request.param(stored))
    return job_id


@pytest.mark.parametrize("part", PARTS)
def test_a_result_that_can_not_be_read_says_so(client: TestClient, job_id: str, part: str) -> None:
    answer = client.get(f"/v1/jobs/{job_id}/{part}")
    if answer.status_code != 200:
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-result")
        assert "post it again" in answer.json()["detail"]
    assert client.get(f"/v1/jobs/{job_id}").status_code == 200


def test_the_same_post_runs_it_again(
    client: TestClient, redis: Redis, store: JobStore, png: bytes, job_id: str
) -> None:
    results, record = KnownResults(redis, retention_s=600), store.get(job_id)
    assert record is not None
    results.tell_model("mobilenet_v2", "sha256:b0353104")
    results.add(str(record.content), model="mobilenet_v2", job_id=job_id)
    answer = client.post("/v1/jobs", files={"image": png}, data={"params": PARAMS})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert RedisBlobs(redis).names(answer.json()["id"]) == ["input"]


def test_a_batch_gives_its_other_results(
    client: TestClient, redis: Redis, store: JobStore, finish: Callable[[str], None], png: bytes
) -> None:
    images = [("image", (f"{k}.png", png + bytes([k]))) for k in range(2)]
    batch = client.post("/v1/batches", files=images, data={"params": PARAMS}).json()
    ids = [item["job"] for item in batch["jobs"]]
    for job_id in ids:
        finish(job_id)
    RedisBlobs(redis).put(ids[0], RESULT, b"{}")
    answer = client.get(batch["links"]["results"])
    assert answer.status_code == 200
    first, second = answer.json()["results"]
    assert first["error"]["type"] == "/problems/no-result"
    assert second["result"]["id"] == ids[1]
    assert store.get(ids[0]).state is JobState.SUCCEEDED
