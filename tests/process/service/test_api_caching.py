"""Caching: what a finished job links never changes and isn't sent twice; models are revalidated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.targets import TARGET_PARTS
from ep_core.schemas.tasks import task_of
from service.jobs.examples import CHANNELS_REPORT, CLASS_REPORT, COMPARE_REPORT, REPORT
from worker.broker import catalogue
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import JobState
from worker.broker.store import JobStore

EXAMPLES = {report["task"]: report for report in (REPORT, COMPARE_REPORT, CHANNELS_REPORT, CLASS_REPORT)}
MADE_WHEN_ASKED = ("result", "bundle.zip", "images/0")

Finished = Callable[[str], list[str]]


def texts(node: Any) -> Iterator[str]:
    """Yield all texts of a JSON value."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from texts(value)


@pytest.fixture
def finished(client: TestClient, redis: Redis, store: JobStore, png: bytes) -> Finished:
    """A function that makes a job of a task that is done, and returns all addresses below its own that it names."""

    def finished(task: str) -> list[str]:
        report = EXAMPLES[task]
        form = {"params": json.dumps(report["params"]), "keep_images": "true"}
        answer = client.post("/v1/jobs", files={"image": png}, data=form)
        assert answer.status_code == 202, answer.text
        job_id, blobs = answer.json()["id"], RedisBlobs(redis)
        attempt = store.start(job_id, worker="test")
        blobs.put(job_id, RESULT, json.dumps(report | {"id": job_id, "artifacts": {}}).encode())
        params = store.get(job_id).params
        files = list(task_of(params).single_files_of(params).values())
        assert store.finish(job_id, JobState.SUCCEEDED, attempt=attempt, files=files)

        base = f"/v1/jobs/{job_id}/"
        told = [client.get(base[:-1]).json()["links"], client.get(f"{base}result").json()]
        named = {text for text in texts(told) if text.startswith(base)} - {f"{base}events"}
        for name in {address.removeprefix(base) for address in named} - set(MADE_WHEN_ASKED):
            blobs.put(job_id, name, f"the file {name}".encode())
        return sorted(named)

    return finished


@pytest.mark.parametrize("task", EXAMPLES)
def test_whatever_a_job_links_may_be_kept_and_is_not_sent_twice(
    client: TestClient, finished: Finished, task: str
) -> None:
    addresses = finished(task)
    assert len(addresses) >= 5
    for address in addresses:
        first = client.get(address)
        assert first.status_code == 200, address
        assert re.fullmatch(r"private, max-age=\d+, immutable", first.headers["cache-control"]), address
        assert client.get(address).headers["etag"] == first.headers["etag"], address
        again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"]), address
        assert again.headers["cache-control"] == first.headers["cache-control"]


def test_no_answer_that_may_be_kept_is_missed_above(client: TestClient, finished: Finished) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    kept = {path for path, methods in paths.items() if "304" in methods.get("get", {}).get("responses", {})}
    asked = {address for task in EXAMPLES for address in finished(task)}

    of_targets = {f"/v1/jobs/{{job_id}}/{part}" for part in TARGET_PARTS}  # see test_api_target_pictures.py
    others = {"/v1/models", "/v1/models/{name}", "/v1/tasks", "/v1/methods"}
    of_batches = {"/v1/batches/{batch_id}/result.html"}  # see test_api_batch_pages.py
    for path in kept - others - of_batches - of_targets:
        assert any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), address) for address in asked), path
    assert {path for path, methods in paths.items() if "results" in methods.get("get", {}).get("tags", [])} <= kept
    assert {"/v1/models", "/v1/models/{name}", "/v1/jobs/{job_id}/images/{index}", *of_targets} <= kept


@pytest.mark.parametrize("address", ["/v1/models", "/v1/models/timm:org/resnet10t.c3_in1k"])
def test_models_are_asked_for_anew_and_sent_again_where_they_have_changed(
    client: TestClient, redis: Redis, address: str
) -> None:
    first = client.get(address)
    known = {"If-None-Match": first.headers["etag"]}

    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get(address, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    changed = catalogue.cards(redis)
    catalogue.publish(redis, [card.model_copy(update={"description": "Another one"}) for card in changed])
    newer = client.get(address, headers=known)
    assert (newer.status_code, "Another one" in newer.text) == (200, True)


@pytest.mark.parametrize("address", ["/v1/models", "/v1/models/mobilenet_v2"])
def test_models_are_packed_for_who_can_unpack_them(client: TestClient, address: str) -> None:
    """Each form has an entity tag of its own: a cache must not take one for the other."""
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    packed = client.get(address, headers={"Accept-Encoding": "gzip, deflate"})
    assert packed.json() == plain.json()
    assert ("Content-Encoding" in plain.headers, packed.headers["Content-Encoding"]) == (False, "gzip")
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]
    known = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}
    assert client.get(address, headers=known).status_code == 304
