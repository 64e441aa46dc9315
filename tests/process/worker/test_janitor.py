"""Jobs that nobody runs any more are run again or failed; the others are left alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from redis import Redis
from rq.job import JobStatus

from worker import janitor as module
from worker.broker import queue
from worker.broker.blobs import open_blobs
from worker.broker.contract import INPUT, JobRecord, JobState
from worker.broker.store import JobStore
from worker.janitor import Janitor
from worker.settings import SharedSettings

Make = Callable[..., JobRecord]


@pytest.fixture
def janitor(redis: Redis) -> Janitor:
    return Janitor(redis, SharedSettings(retention_s=600, job_timeout_s=100))


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MISSING_S", 0.0)


@pytest.fixture
def job(redis: Redis, store: JobStore, make_record: Make) -> JobRecord:
    """A record with its image, in no queue."""
    record = make_record()
    store.create(record)
    open_blobs(None, redis).put(record.id, INPUT, b"image")
    return record


@pytest.mark.usefixtures("no_grace")
def test_a_queued_job_in_no_queue_is_enqueued_once(redis: Redis, janitor: Janitor, job: JobRecord):
    janitor.sweep()
    janitor.sweep()
    assert redis.lrange("rq:queue:extremal", 0, -1) == [job.id.encode()]


def test_it_gets_time_to_arrive(redis: Redis, janitor: Janitor, job: JobRecord):
    janitor.sweep()
    assert redis.llen("rq:queue:extremal") == 0


@pytest.mark.usefixtures("no_grace")
def test_waiting_jobs_are_left_alone(redis: Redis, janitor: Janitor, store: JobStore, job: JobRecord):
    queue.enqueue(redis, job.id, timeout_s=100)
    before = redis.hgetall(f"rq:job:{job.id}")
    janitor.sweep()
    assert redis.hgetall(f"rq:job:{job.id}") == before
    assert redis.llen("rq:queue:extremal") == 1


@pytest.mark.usefixtures("no_grace")
def test_a_job_whose_worker_died_between_taking_and_starting_it_runs_again(
    redis: Redis, janitor: Janitor, job: JobRecord
):
    queue.enqueue(redis, job.id, timeout_s=100)
    redis.lmove("rq:queue:extremal", "rq:queue:extremal:intermediate")
    janitor.sweep()
    assert redis.lrange("rq:queue:extremal", 0, -1) == [job.id.encode()]
    assert redis.llen("rq:queue:extremal:intermediate") == 0


@pytest.mark.usefixtures("no_grace")
def test_a_running_job_that_vanished_runs_again_until_its_attempts_are_used_up(
    redis: Redis, store: JobStore, job: JobRecord
):
    janitor = Janitor(redis, SharedSettings(retention_s=600, job_timeout_s=100, max_attempts=2))
    store.start(job.id, worker="w")
    janitor.sweep()
    assert redis.llen("rq:queue:extremal") == 1
    redis.delete("rq:queue:extremal")
    store.start(job.id, worker="w")
    janitor.sweep()
    failed = store.get(job.id)
    assert (failed.state, failed.error.type) == (JobState.FAILED, "/problems/worker-lost")
    assert open_blobs(None, redis).names(job.id) == []


@pytest.mark.parametrize("started", [False, True])
def test_a_job_that_rq_failed_fails_at_once(
    redis: Redis, janitor: Janitor, store: JobStore, job: JobRecord, started: bool
):
    queue.enqueue(redis, job.id, timeout_s=100)
    redis.delete("rq:queue:extremal")
    redis.hset(f"rq:job:{job.id}", "status", JobStatus.FAILED)
    if started:
        store.start(job.id, worker="w")
    janitor.sweep()
    assert store.get(job.id).state is JobState.FAILED
    assert not redis.exists(f"rq:job:{job.id}")
    assert store.queued() | store.running() == set()


@pytest.mark.usefixtures("no_grace")
def test_a_lost_job_is_found_though_the_numbers_agree(
    redis: Redis, janitor: Janitor, job: JobRecord, monkeypatch: pytest.MonkeyPatch
):
    janitor.sweep()  # puts the job into the queue
    janitor.sweep()  # sees it there
    redis.delete("rq:queue:extremal")
    redis.rpush("rq:queue:extremal", "nobody knows this one")
    janitor.sweep()
    assert redis.lrange("rq:queue:extremal", 0, -1) == [b"nobody knows this one"]
    later = time.monotonic() + module.CLOSE_LOOK_S
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    janitor.sweep()
    assert job.id.encode() in redis.lrange("rq:queue:extremal", 0, -1)


def test_comparing_all_ids_takes_a_small_share_of_the_time(
    redis: Redis, janitor: Janitor, job: JobRecord, monkeypatch: pytest.MonkeyPatch
):
    now = [1000.0]
    looked: list[float] = []

    def look() -> set[str]:
        looked.append(now[0])
        now[0] += 3.0  # as with a million jobs
        return {job.id}

    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(janitor, "look_closely", look)
    while now[0] < 1200:
        janitor.sweep()
        now[0] += module.SWEEP_S
    assert len(looked) == 4
    assert 3.0 / (looked[2] - looked[1]) == pytest.approx(module.LOOK_SHARE, rel=0.1)
    assert job.id.encode() in redis.lrange("rq:queue:extremal", 0, -1)  # missing for long enough all the same


@pytest.mark.usefixtures("no_grace")
def test_one_acts_at_a_time(redis: Redis, janitor: Janitor, job: JobRecord):
    with redis.lock("ep:janitor", timeout=5):
        janitor.sweep()
    assert redis.llen("rq:queue:extremal") == 0
    janitor.sweep()
    assert redis.llen("rq:queue:extremal") == 1


@pytest.mark.usefixtures("no_grace")
def test_one_that_died_in_the_middle_of_a_sweep_holds_up_the_others_for_seconds(
    redis: Redis, janitor: Janitor, job: JobRecord
):
    if (child := os.fork()) == 0:
        with suppress(BaseException):
            module.forget_dead = lambda _: os._exit(7)  # not before: other threads of the tests' process sweep, too
            janitor.sweep()
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert 0 < redis.pttl("ep:janitor") <= 5000
    redis.delete("rq:queue:extremal")
    deadline = time.monotonic() + 10
    while not redis.llen("rq:queue:extremal"):
        assert time.monotonic() < deadline
        janitor.sweep()
        time.sleep(0.1)


@pytest.mark.usefixtures("no_grace")
def test_one_that_lost_its_lock_leaves_the_rest_to_another(
    redis: Redis, janitor: Janitor, job: JobRecord, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(janitor, "_bring_up_to_date", lambda: redis.set("ep:janitor", "another's"))
    janitor.sweep()
    assert redis.llen("rq:queue:extremal") == 0
    assert redis.get("ep:janitor") == b"another's"
