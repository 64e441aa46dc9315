"""Posting, reading and removing jobs."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from service.jobs.schemas import JobRead
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import INPUT, JobProgress, JobState, Problem
from worker.broker.events import GONE_S
from worker.broker.queue import job_queue
from worker.broker.store import JobStore

Post = Callable[[], str]
Finish = Callable[[str], None]


def left_in(redis: Redis, before: set[bytes]) -> set[bytes]:
    """Return the new keys, but for the last event of a removed job, which goes by itself soon."""
    new = set(redis.keys("*")) - before
    return {key for key in new if not (key.startswith(b"ep:events:") and 0 < redis.ttl(key) <= GONE_S)}


def test_a_posted_job_is_stored_queued_and_linked(client: TestClient, redis: Redis, png: bytes) -> None:
    answer = client.post(
        "/v1/jobs", files={"image": png}, data={"params": '{"target": "brown BEAR", "areas": [0.2, 0.1]}'}
    )

    assert answer.status_code == 202
    job = JobRead.model_validate(answer.json())
    assert (job.status, job.position, job.params.areas) == (JobState.QUEUED, 1, (0.1, 0.2))
    assert answer.headers["location"] == job.links.self_ == f"/v1/jobs/{job.id}"
    assert job.links.result is None
    assert RedisBlobs(redis).get(job.id, INPUT) == png
    assert job_queue(redis).job_ids == [job.id]
    assert client.get(job.links.self_).json() == answer.json()


@pytest.mark.parametrize(
    "sent", ["0f8fad5bd9cb469fa165708677289501", "0f8fad5b-d9cb-469f-a165-708677289501", "<b>", None]
)
def test_a_job_remembers_its_requests_id_and_does_not_show_it(
    client: TestClient, store: JobStore, png: bytes, sent: str | None
) -> None:
    headers = {} if sent is None else {"X-Request-ID": sent}
    answer = client.post("/v1/jobs", files={"image": png}, headers=headers)
    record = store.get(answer.json()["id"])

    assert record is not None
    assert record.request_id == answer.headers["x-request-id"]
    assert (record.request_id == sent) == (sent not in ("<b>", None))
    assert "request_id" not in answer.json()
    assert record.request_id not in answer.text + client.get("/v1/jobs").text


def test_params_may_be_left_out_empty_or_a_file(client: TestClient, png: bytes) -> None:
    image = ("image", ("cat.png", png, "image/png"))
    without = client.post("/v1/jobs", files=[image])
    empty = client.post("/v1/jobs", files=[image], data={"params": ""})
    as_file = client.post("/v1/jobs", files=[image, ("params", ("p.json", b'{"seed": 7}', "application/json"))])

    assert [a.status_code for a in (without, empty, as_file)] == [202, 202, 202]
    assert without.json()["params"] == empty.json()["params"]
    assert as_file.json()["params"]["seed"] == 7


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_json_with_base64_posts_the_same_job(client: TestClient, redis: Redis, png: bytes, prefix: str) -> None:
    body = {"image": prefix + base64.encodebytes(png).decode(), "params": {"target": 5}}
    answer = client.post("/v1/jobs", json=body)

    assert answer.status_code == 202
    assert answer.json()["params"]["target"] == 5
    assert RedisBlobs(redis).get(answer.json()["id"], INPUT) == png


def test_waiting_jobs_know_their_place(client: TestClient, post: Post) -> None:
    ids = [post() for _ in range(3)]

    assert [client.get(f"/v1/jobs/{job_id}").json()["position"] for job_id in ids] == [1, 2, 3]


def test_a_running_job_shows_progress(client: TestClient, store: JobStore, post: Post) -> None:
    job_id = post()
    attempt = store.start(job_id, worker="test")
    store.update(job_id, attempt=attempt, progress=JobProgress(iteration=3, total=10, fraction=0.3), partial_curve=[])

    job = client.get(f"/v1/jobs/{job_id}").json()

    assert (job["status"], job["attempt"], job["position"]) == ("running", 1, None)
    assert job["progress"]["fraction"] == 0.3
    assert "worker" not in job


def test_a_finished_job_links_its_parts(client: TestClient, post: Post, finish: Finish) -> None:
    job_id = post()
    finish(job_id)

    job = JobRead.model_validate(client.get(f"/v1/jobs/{job_id}").json())

    assert job.status is JobState.SUCCEEDED
    assert (job.expires_at - job.finished_at).total_seconds() == 24 * 3600
    pictures = [*job.links.masks.values(), *job.links.overlays.values(), job.links.saliency, job.links.curve]
    assert len(pictures) == 8
    for link in [*pictures, job.links.result, job.links.bundle]:
        assert client.get(link).status_code == 200, link


def test_a_failed_job_says_why(client: TestClient, store: JobStore, post: Post) -> None:
    job_id = post()
    attempt = store.start(job_id, worker="test")
    error = Problem(type="/problems/model-unavailable", title="Model unavailable", status=503, detail="no weights")
    store.finish(job_id, JobState.FAILED, attempt=attempt, error=error)

    assert client.get(f"/v1/jobs/{job_id}").json()["error"]["type"] == "/problems/model-unavailable"
    result = client.get(f"/v1/jobs/{job_id}/result")
    assert (result.status_code, result.json()["state"]) == (409, "failed")
    assert result.json()["error"]["detail"] == "no weights"


def test_deleting_a_waiting_job_leaves_nothing(client: TestClient, redis: Redis, post: Post) -> None:
    before = set(redis.keys("*"))
    job_id = post()

    answer = client.delete(f"/v1/jobs/{job_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(f"/v1/jobs/{job_id}").status_code == 404
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 404
    assert left_in(redis, before) <= {b"rq:queues", b"ep:janitor"}


def test_deleting_a_running_job_ends_its_attempt(client: TestClient, store: JobStore, post: Post) -> None:
    job_id = post()
    attempt = store.start(job_id, worker="test")

    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert not store.finish(job_id, JobState.SUCCEEDED, attempt=attempt)


def test_a_job_that_cannot_be_queued_leaves_nothing(
    client: TestClient, redis: Redis, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(redis.keys("*"))

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no queue")

    monkeypatch.setattr("worker.broker.queue.enqueue", fail)
    answer = client.post("/v1/jobs", files={"image": png})

    assert answer.status_code == 500
    assert left_in(redis, before) <= {b"ep:janitor"}


@pytest.mark.parametrize("job_id", ["0" * 32, "nonsense", "..%2f..%2fetc", "%00", "*", "ü" * 300])
def test_an_unknown_job_is_a_404_everywhere(client: TestClient, job_id: str) -> None:
    for path in ("", "/result", "/masks/0.1.png", "/overlays/0.1.png", "/saliency.png", "/curve.svg", "/bundle.zip"):
        answer = client.get(f"/v1/jobs/{job_id}{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


class TestPreferWait:
    def test_answers_when_the_job_is_done(self, client: TestClient, redis: Redis, png: bytes, finish: Finish) -> None:
        def work() -> None:
            while not (ids := job_queue(redis).job_ids):
                time.sleep(0.02)
            time.sleep(0.3)
            finish(ids[0])

        worker = threading.Thread(target=work)
        worker.start()
        answer = client.post("/v1/jobs", files={"image": png}, headers={"Prefer": "respond-async, wait=20"})
        worker.join()

        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
        assert answer.headers["preference-applied"] == "wait=20"
        assert answer.headers["location"] == answer.json()["links"]["self"]

    def test_answers_202_when_the_time_is_up(self, client: TestClient, png: bytes) -> None:
        started = time.monotonic()
        answer = client.post("/v1/jobs", files={"image": png}, headers={"Prefer": "wait=1"})

        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
        assert 0.9 < time.monotonic() - started < 8

    @pytest.mark.parametrize("value", ["wait", "wait=soon", "wait=-1", "wait=1.5", "wait=", "handling=lenient", "=;,"])
    def test_what_it_cannot_read_is_ignored(self, client: TestClient, png: bytes, value: str) -> None:
        answer = client.post("/v1/jobs", files={"image": png}, headers={"Prefer": value})

        assert answer.status_code == 202
        assert "preference-applied" not in answer.headers

    def test_many_waiting_clients_hold_no_threads(self, client: TestClient, store: JobStore, png: bytes) -> None:
        """More clients wait than there are threads; others are still answered."""
        waiting = [
            threading.Thread(
                target=client.post,
                args=("/v1/jobs",),
                kwargs={"files": {"image": png}, "headers": {"Prefer": "wait=40"}},
            )
            for _ in range(60)
        ]
        started = time.monotonic()
        for thread in waiting:
            thread.start()
        while len(jobs := client.get("/v1/jobs", params={"limit": 100}).json()["jobs"]) < len(waiting):
            assert time.monotonic() - started < 30  # they wait for longer
        assert client.get("/v1/models").status_code == 200
        for job in jobs:
            assert store.finish(job["id"], JobState.CANCELED)
        for thread in waiting:
            thread.join()
        assert time.monotonic() - started < 40  # all of them waited until then, and no longer


def test_params_read_back_are_valid_params(client: TestClient, png: bytes) -> None:
    """The parameters that a job shows can be posted again."""
    first = client.post("/v1/jobs", files={"image": png}, data={"params": '{"seed": 3}'}).json()["params"]
    second = client.post("/v1/jobs", files={"image": png}, data={"params": json.dumps(first)})

    assert second.json()["params"] == first
