"""Jobs that compare methods: what is refused, and what a finished one has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.reports.comparison import COMPARISON_FILE, heat_name, map_name
from ep_core.schemas.reports.file_names import CURVE, PAGE, RESULT, mask_name, overlay_name
from ep_core.schemas.specs import DEFAULT_METHODS
from service.jobs.examples import COMPARE_REPORT
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import JobState
from worker.broker.store import JobStore

PARAMS = {"task": "compare", "methods": ["grad_cam", "extremal"], "areas": [0.1, 0.2]}


def post(client: TestClient, png: bytes, **params: Any) -> Any:
    return client.post("/v1/jobs", files={"image": png}, data={"params": json.dumps({"task": "compare"} | params)})


@pytest.fixture
def job(client: TestClient, redis: Redis, store: JobStore, png: bytes) -> str:
    """The address of a job that is done, as a worker leaves it."""
    job_id = str(post(client, png, **PARAMS).json()["id"])
    attempt = store.start(job_id, worker="test")
    blobs = RedisBlobs(redis)
    blobs.put(job_id, RESULT, json.dumps(COMPARE_REPORT | {"id": job_id, "artifacts": {}}).encode())
    names = [
        COMPARISON_FILE,
        CURVE,
        PAGE,
        map_name("grad_cam"),
        heat_name("grad_cam"),
        mask_name(0.1),
        overlay_name(0.1),
    ]
    for name in names:
        blobs.put(job_id, name, name.encode())
    assert store.finish(job_id, JobState.SUCCEEDED, attempt=attempt)
    return f"/v1/jobs/{job_id}"


def test_all_methods_but_the_slowest_are_compared_unless_told_otherwise(client: TestClient, png: bytes) -> None:
    answer = post(client, png)
    assert answer.status_code == 202, answer.text
    assert tuple(answer.json()["params"]["methods"]) == DEFAULT_METHODS
    assert len(DEFAULT_METHODS) >= 17


def test_links_and_files(client: TestClient, job: str) -> None:
    links = client.get(job).json()["links"]
    assert client.get(links["comparison"]).content == COMPARISON_FILE.encode()
    assert client.get(links["masks"]["0.1"]).content == mask_name(0.1).encode()
    assert links["saliency"] is None
    result = client.get(links["result"]).json()
    assert result["artifacts"]["comparison"] == links["comparison"]
    grad_cam, extremal = result["methods"]
    assert client.get(grad_cam["map"]).content == map_name("grad_cam").encode()
    assert client.get(grad_cam["overlay"]).content == heat_name("grad_cam").encode()
    assert [point["mask"] for point in grad_cam["curve"]] == [None, None]
    assert extremal["curve"][0]["mask"] == links["masks"]["0.1"]
    assert client.get(extremal["curve"][0]["overlay"]).content == overlay_name(0.1).encode()
    assert result["extremality"]["points"][0]["rank"] == 1


def test_methods_that_a_job_does_not_have_are_named(client: TestClient, job: str) -> None:
    problem = client.get(f"{job}/maps/rise.png").json()
    assert problem["status"] == 404
    assert "grad_cam, extremal" in problem["detail"]


def test_other_tasks_have_no_maps_and_comparisons_without_extremal_no_masks(
    client: TestClient, png: bytes, redis: Redis, store: JobStore
) -> None:
    for params, path, says in (
        ({"task": "extremal"}, "maps/grad_cam.png", "compares no methods"),
        ({"methods": ["center"]}, "masks/0.1.png", "no spatial masks"),
    ):
        job_id = post(client, png, **params).json()["id"]
        assert store.finish(job_id, JobState.SUCCEEDED, attempt=store.start(job_id, worker="test"))
        problem = client.get(f"/v1/jobs/{job_id}/{path}").json()
        assert (problem["status"], says in problem["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("params", "field", "says"),
    [
        ({"methods": ["gradcam"]}, "methods", "did you mean grad_cam"),
        ({"methods": []}, "methods", "there must be at least 1"),
        ({"methods": ["rise", "rise"]}, "methods", "must all be different"),
        ({"samples": 0}, "samples", "must be at least 1"),
        ({"layer": "features.81"}, "layer", "features.18"),
        ({"areas": [1.5]}, "areas.0", "1.5 is not a share of the image"),
    ],
)
def test_mistakes_are_told_in_words(
    client: TestClient, redis: Redis, png: bytes, params: dict[str, Any], field: str, says: str
) -> None:
    answer = post(client, png, **params)
    assert answer.status_code == 422
    assert says in answer.text
    problem = answer.json()
    assert field in [error["field"] for error in problem.get("errors", [])] + [problem.get("field")]
    assert list(redis.scan_iter("ep:job:*")) == []
