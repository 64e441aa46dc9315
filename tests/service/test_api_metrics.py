"""What Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from worker import liveness
from worker.contract import JobState
from worker.stats import Stats
from worker.store import JobStore

Post = Callable[[], str]
Finish = Callable[[str], None]


def scrape(client: TestClient) -> dict[tuple[str, ...], float]:
    """Return each sample's value by its name and the values of its labels, in the order of the labels' names."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_a_service_without_jobs(client: TestClient) -> None:
    found = scrape(client)

    assert found["ep_workers",] == 0
    assert [found["ep_jobs", state] for state in JobState] == [0, 0, 0, 0, 0]
    assert found["ep_queue_length", "extremal"] == 0


def test_jobs_by_state_and_the_queue(client: TestClient, store: JobStore, post: Post, finish: Finish) -> None:
    ids = [post() for _ in range(3)]
    finish(ids[0])
    store.start(ids[1], worker="test")

    found = scrape(client)

    assert [found["ep_jobs", state] for state in ("queued", "running", "succeeded", "failed")] == [1, 1, 1, 0]
    assert found["ep_queue_length", "extremal"] == 3  # no worker took them here


def test_workers_and_what_they_did(client: TestClient, redis: Redis) -> None:
    liveness.beat(redis, "host.1", ttl_s=10)
    liveness.beat(redis, "host.2", ttl_s=10, memory_bytes=5_000_000)
    Stats(redis).ran("extremal", JobState.SUCCEEDED, waited_s=0.2, ran_s=12, iterations=400)
    Stats(redis).loaded("mobilenet_v2")

    found = scrape(client)

    assert found["ep_workers",] == 2
    assert {key[1:]: value for key, value in found.items() if key[0] == "ep_gpu_memory_bytes"} == {("host.2",): 5e6}
    assert found["ep_jobs_finished_total", "succeeded", "extremal"] == 1
    assert found["ep_iterations_total", "extremal"] == 400
    assert found["ep_model_loads_total", "mobilenet_v2"] == 1
    assert found["ep_job_run_seconds_sum", "extremal"] == 12
    assert [found["ep_job_run_seconds_bucket", bound, "extremal"] for bound in ("10.0", "20.0", "+Inf")] == [0, 1, 1]
    assert found["ep_job_wait_seconds_count", "extremal"] == 1
