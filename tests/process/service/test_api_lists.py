"""Pages of jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import get_args

import pytest
from fastapi.testclient import TestClient

from ep_core.schemas.tasks import TASKS, TaskName
from service.jobs.cursor import as_cursor, from_cursor
from worker.broker.contract import JobState
from worker.broker.index import Place
from worker.broker.store import JobStore

Post = Callable[[], str]


def pages(client: TestClient, address: str) -> list[list[str]]:
    """Return the ids on each page, following `next`."""
    found = []
    while address:
        page = client.get(address).json()
        found.append([job["id"] for job in page["jobs"]])
        address = page["next"]
    return found


def test_no_jobs_are_an_empty_page(client: TestClient) -> None:
    assert client.get("/v1/jobs").json() == {"jobs": [], "next": None}


def test_pages_lead_from_the_newest_job_to_the_oldest(client: TestClient, post: Post) -> None:
    ids = [post() for _ in range(5)][::-1]

    assert pages(client, "/v1/jobs") == [ids]
    assert pages(client, "/v1/jobs?limit=2") == [ids[:2], ids[2:4], ids[4:]]


def test_a_job_looks_as_it_does_alone(client: TestClient, post: Post) -> None:
    ids = [post(), post()]

    listed = client.get("/v1/jobs").json()["jobs"]

    assert listed == [client.get(f"/v1/jobs/{job_id}").json() for job_id in reversed(ids)]
    assert [job["position"] for job in listed] == [2, 1]


def test_jobs_of_one_state(client: TestClient, store: JobStore, post: Post) -> None:
    ids = [post() for _ in range(4)]
    for job_id in ids[:3]:
        store.start(job_id, worker="test")
    store.finish(ids[0], JobState.FAILED)

    assert pages(client, "/v1/jobs?status=running&limit=1") == [[ids[2]], [ids[1]]]
    assert pages(client, "/v1/jobs?status=failed") == [[ids[0]]]
    assert pages(client, "/v1/jobs?status=queued") == [[ids[3]]]
    assert pages(client, "/v1/jobs?status=canceled") == [[]]


def test_jobs_of_one_task(client: TestClient, store: JobStore, post: Post, png: bytes) -> None:
    ids: dict[str, list[str]] = {}
    for _ in range(3):
        ids["extremal"] = [post(), *ids.get("extremal", [])]
        for task in ("compare", "channels", "class_channels"):
            answer = client.post("/v1/jobs", files={"image": png}, data={"params": json.dumps({"task": task})})
            ids[task] = [answer.json()["id"], *ids.get(task, [])]
    store.start(ids["compare"][1], worker="test")

    for task, (newest, *older) in ids.items():
        assert pages(client, f"/v1/jobs?task={task}&limit=1") == [[newest], *([one] for one in older)]
    assert pages(client, "/v1/jobs?task=compare&status=queued&limit=1") == [[ids["compare"][0]], [ids["compare"][2]]]
    assert pages(client, "/v1/jobs?task=compare&status=running") == [[ids["compare"][1]]]
    assert pages(client, "/v1/jobs?task=channels&status=running") == [[]]


def test_every_task_can_be_asked_for() -> None:
    assert get_args(TaskName) == tuple(TASKS)


def test_a_task_that_there_is_not_is_answered_with_those_there_are(client: TestClient) -> None:
    (error,) = client.get("/v1/jobs?task=masks").json()["errors"]

    assert all(f"'{task}'" in error["detail"] for task in TASKS)
    assert "allowed" not in error  # what the field `task` of a job's parameters may be


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("task=masks", "task"),
        ("task=", "task"),
        ("status=done", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("cursor=", "cursor"),
        ("cursor=abc", "cursor"),
        ("cursor=%FF%00", "cursor"),
        ("cursor=" + "9" * 400, "cursor"),
    ],
)
def test_what_cannot_be_asked_is_named(client: TestClient, query: str, field: str) -> None:
    answer = client.get(f"/v1/jobs?{query}")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_cursor_is_read_back() -> None:
    place = Place(1_700_000_000_123_456, "0f8fad5bd9cb469fa165708677289501")

    cursor = as_cursor(place)

    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert from_cursor(cursor) == place


def test_a_list_is_packed_for_who_can_unpack_it(client: TestClient, png: bytes) -> None:
    for _ in range(3):
        client.post("/v1/jobs", files={"image": png})
    plain = client.get("/v1/jobs", headers={"Accept-Encoding": "identity"})
    packed = client.get("/v1/jobs", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.json() == plain.json()
