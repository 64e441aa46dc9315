"""Metrics for Prometheus."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from service.app import create_app
from service.settings import ApiSettings
from worker.broker import liveness, stepping
from worker.broker.contract import JobState
from worker.broker.reserved import Room
from worker.broker.statistics import DELIVERY_OUTCOMES, Stats
from worker.broker.stepping import Stepping
from worker.broker.store import JobStore

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

    assert (found["ep_redis_up",], found["ep_workers",]) == (1, 0)
    assert [found["ep_jobs", state] for state in JobState] == [0, 0, 0, 0, 0]
    assert found["ep_queue_length", "extremal"] == 0
    assert found["ep_redis_reserved_bytes",] == 0


def test_jobs_by_state_and_the_queue(
    client: TestClient, redis: Redis, store: JobStore, post: Post, finish: Finish
) -> None:
    ids = [post() for _ in range(3)]
    finish(ids[0])
    store.start(ids[1], worker="test")

    found = scrape(client)

    assert [found["ep_jobs", state] for state in ("queued", "running", "succeeded", "failed")] == [1, 1, 1, 0]
    assert found["ep_queue_length", "extremal"] == 3  # no worker took them here
    assert found["ep_redis_reserved_bytes",] == Room(redis).reserved() > 0


def test_workers_and_what_they_did(client: TestClient, redis: Redis) -> None:
    liveness.beat(redis, "host.1", ttl_s=10)
    liveness.beat(redis, "host.2", ttl_s=10, memory_bytes=5_000_000)
    Stats(redis).ran("extremal", JobState.SUCCEEDED, waited_s=0.2, ran_s=12, iterations=400)
    Stats(redis).loaded("mobilenet_v2")
    Stats(redis).delivery("delivered")
    Stats(redis).stepped(batches=2, lanes=20, rows=32, seconds=1.5)
    Stats(redis).spent({"steps": 2.5, "store": 0.25})
    for seat in range(3):
        liveness.beat(redis, liveness.seat_name("a-host.3", seat), ttl_s=10)

    stepping.tell(redis, "host.1", Stepping(jobs=3, batches_per_s=2, lanes_per_s=20, rows_per_s=32))

    found = scrape(client)

    assert found["ep_shared_jobs",] == 3
    assert (found["ep_workers",], found["ep_worker_processes",]) == (5, 3)
    assert {key[1:]: value for key, value in found.items() if key[0] == "ep_gpu_memory_bytes"} == {("host.2",): 5e6}
    assert found["ep_jobs_finished_total", "succeeded", "extremal"] == 1
    assert found["ep_iterations_total", "extremal"] == 400
    assert found["ep_model_loads_total", "mobilenet_v2"] == 1
    assert [found["ep_webhook_deliveries_total", outcome] for outcome in DELIVERY_OUTCOMES] == [1, 0, 0]
    assert found["ep_job_run_seconds_sum", "extremal"] == 12
    assert [found["ep_job_run_seconds_bucket", bound, "extremal"] for bound in ("10.0", "20.0", "+Inf")] == [0, 1, 1]
    assert found["ep_job_wait_seconds_count", "extremal"] == 1
    assert [found[f"ep_shared_{name}_total",] for name in ("batches", "lanes", "rows", "seconds")] == [2, 20, 32, 1.5]
    assert [found["ep_worker_cpu_seconds_total", part] for part in ("steps", "store")] == [2.5, 0.25]


def test_a_counter_of_a_newer_version_breaks_nothing(client: TestClient, redis: Redis) -> None:
    Stats(redis).loaded("mobilenet_v2")
    redis.hset("ep:stats", "poems:sonnet", 3)

    assert scrape(client)["ep_model_loads_total", "mobilenet_v2"] == 1


@pytest.fixture
def fresh(redis: Redis, settings: ApiSettings) -> Iterator[TestClient]:
    """A client of an application that has answered nothing yet."""
    with TestClient(create_app(settings), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def requests_counted(client: TestClient) -> dict[tuple[str, ...], float]:
    found = scrape(client)
    return {key[1:]: value for key, value in found.items() if key[0] == "ep_http_requests_total"}


def test_requests_by_method_route_and_status(fresh: TestClient, png: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    job = fresh.post("/v1/jobs", files={"image": png}).json()["id"]
    for job_id in (job, "a" * 32, "b" * 32):
        fresh.get(f"/v1/jobs/{job_id}")
    fresh.get("/v1/models/timm:org/resnet10t.c3_in1k")
    fresh.put("/v1/jobs")
    monkeypatch.setattr("service.observe.health.live_workers", lambda _: 1 // 0)
    fresh.get("/readyz")

    assert requests_counted(fresh) == {
        ("POST", "/v1/jobs", "2xx"): 1,
        ("GET", "/v1/jobs/{job_id}", "2xx"): 1,
        ("GET", "/v1/jobs/{job_id}", "4xx"): 2,
        ("GET", "/v1/models/{name}", "2xx"): 1,
        ("PUT", "/v1/jobs", "4xx"): 1,
        ("GET", "/readyz", "5xx"): 1,
    }


def test_what_clients_make_up_makes_no_new_series(fresh: TestClient) -> None:
    for k in range(20):
        fresh.get(f"/nowhere/{k}")
        fresh.request(f"MAKE{k}", "/healthz")
    fresh.get("/docs")

    assert requests_counted(fresh) == {
        ("GET", "other", "4xx"): 20,
        ("other", "/healthz", "4xx"): 20,
        ("GET", "other", "2xx"): 1,
    }


def test_how_long_answers_take(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: object) -> int:
        time.sleep(0.12)
        return 1

    monkeypatch.setattr("service.observe.health.live_workers", slow)
    fresh.get("/readyz")
    found = scrape(fresh)

    buckets = [found["ep_http_request_seconds_bucket", bound, "GET", "/readyz"] for bound in ("0.1", "1.0", "+Inf")]
    assert buckets == [0, 1, 1]
    assert 0.12 <= found["ep_http_request_seconds_sum", "GET", "/readyz"] < 1


def test_a_stream_counts_until_it_starts(fresh: TestClient, png: bytes, store: JobStore) -> None:
    job = fresh.post("/v1/jobs", files={"image": png}).json()["id"]
    threading.Timer(1.0, lambda: store.finish(job, JobState.CANCELED)).start()
    started = time.monotonic()
    assert "canceled" in fresh.get(f"/v1/jobs/{job}/events").text
    took_s = time.monotonic() - started

    found = scrape(fresh)
    assert found["ep_http_request_seconds_sum", "GET", "/v1/jobs/{job_id}/events"] < 0.5 < 0.9 < took_s


def test_the_process(client: TestClient) -> None:
    found = scrape(client)

    assert found["process_resident_memory_bytes",] > 10e6
    assert found["process_cpu_seconds_total",] > 0


def test_while_redis_is_away_the_rest_is_told() -> None:
    settings = ApiSettings(redis_url="redis://127.0.0.1:1/0")
    away = TestClient(create_app(settings), base_url="http://127.0.0.1")
    away.get("/healthz")
    found = scrape(away)

    assert found["ep_redis_up",] == 0
    assert found["ep_http_requests_total", "GET", "/healthz", "2xx"] == 1
    assert not any(key[0] in ("ep_jobs", "ep_workers") for key in found)
