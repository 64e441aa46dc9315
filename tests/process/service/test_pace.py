"""Estimated waiting time of queued jobs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from service.jobs import eta
from service.jobs.eta import Pace, QueuePace
from worker.broker import liveness
from worker.broker.contract import JobState
from worker.broker.statistics import Stats
from worker.broker.store import JobStore

Post = Callable[[], str]


@pytest.mark.parametrize(
    ("pace", "waits"),
    [
        (Pace(share_s=10, workers=1, running=0, devices=1), [0, 10, 20]),
        (Pace(share_s=10, workers=1, running=1, devices=1), [5, 15, 25]),
        (Pace(share_s=10, workers=2, running=2, devices=2), [5, 10, 15]),
        (Pace(share_s=10, workers=4, running=2, devices=4), [0, 0, 7.5]),
        (Pace(share_s=10, workers=4, running=3, devices=1), [0, 25, 35]),
        (Pace(share_s=10, workers=4, running=4, devices=1), [20, 30, 40]),
    ],
)
def test_a_job_waits_for_those_before_it(pace: Pace, waits: list[float]) -> None:
    assert [pace.wait_s(before) for before in range(3)] == [pytest.approx(seconds) for seconds in waits]


def test_nothing_is_said_without_workers_or_finished_jobs(redis: Redis) -> None:
    assert QueuePace(redis).wait_s(3) is None
    liveness.beat(redis, "host.1", ttl_s=10)
    assert QueuePace(redis).wait_s(3) is None
    Stats(redis).ran("extremal", JobState.SUCCEEDED, waited_s=0, ran_s=8)
    Stats(redis).ran("compare", JobState.FAILED, waited_s=0, ran_s=12)
    assert QueuePace(redis).wait_s(3) == 30


def test_workers_of_one_process_share_its_device(redis: Redis, store: JobStore, post: Post) -> None:
    for seat in range(2):
        liveness.beat(redis, liveness.seat_name("host.1", seat), ttl_s=10)
    Stats(redis).ran("extremal", JobState.SUCCEEDED, waited_s=0, ran_s=14, share_s=8)
    store.start(post(), worker="test")
    assert [QueuePace(redis).wait_s(before) for before in range(2)] == [0, 12]
    store.start(post(), worker="test")
    assert [QueuePace(redis).wait_s(before) for before in range(2)] == [8, 16]


def test_redis_is_asked_every_few_seconds(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    pace_of_queue = QueuePace(redis)
    assert pace_of_queue.wait_s(1) is None
    liveness.beat(redis, "host.1", ttl_s=10)
    Stats(redis).ran("extremal", JobState.SUCCEEDED, waited_s=0, ran_s=8)
    assert pace_of_queue.wait_s(1) is None
    later = eta.time.monotonic() + eta.LOOK_S
    monkeypatch.setattr(eta.time, "monotonic", lambda: later)
    assert pace_of_queue.wait_s(1) == 8


def test_a_queued_job_says_when_it_starts(
    client: TestClient, redis: Redis, store: JobStore, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eta, "LOOK_S", 0.0)
    fresh = eta.QueuePace(redis)  # knows nothing of the tests before
    monkeypatch.setattr(client.app.state.services.jobs, "_pace", fresh)
    liveness.beat(redis, "host.1", ttl_s=10)
    Stats(redis).ran("extremal", JobState.SUCCEEDED, waited_s=0, ran_s=8)
    first, second = post(), post()

    assert [client.get(f"/v1/jobs/{job}").json()["starts_in_s"] for job in (first, second)] == [0, 8]
    store.start(first, worker="test")
    assert [client.get(f"/v1/jobs/{job}").json()["starts_in_s"] for job in (first, second)] == [None, 4]
