"""Dead receivers, dead couriers and removed jobs hold up nobody."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest
from redis import Redis

from service.webhooks import hosts, schedule
from service.webhooks.schedule import Deliveries
from tests.process.service.receivers import Answering, silent, status
from worker.broker.contract import JobState
from worker.broker.store import JobStore

from .sending import DUE, SECRET, EndJob, Run, delivery, is_settled, wait_until


def test_a_dead_receiver_holds_up_nobody_else(redis: Redis, end_job: EndJob, run: Run) -> None:
    with silent() as dead, Answering() as receiver:
        stuck = [end_job(dead.url.replace("127.0.0.1", "localhost")) for _ in range(100)]
        jobs = [end_job(receiver.url) for _ in range(20)]
        with run():
            wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs), within_s=8)
            assert not any(delivery(redis, job_id).attempts for job_id in stuck)
            assert len(dead.calls) == hosts.AT_ONE_HOST
        assert {request.headers["webhook-id"] for request in receiver.requests} == {f"msg_{j}" for j in jobs}
        assert redis.zcard(DUE) == len(stuck)  # all of them will be tried again


def test_a_slow_host_gets_few_calls_at_once_and_all_of_them_in_the_end(redis: Redis, end_job: EndJob, run: Run) -> None:
    open_now, most = 0, 0
    lock = threading.Lock()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        time.sleep(0.05)
        with lock:
            open_now -= 1
        status(200)(handler)

    with Answering(answer) as receiver, run():
        jobs = [end_job(receiver.url) for _ in range(40)]
        wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs))
    assert most == hosts.AT_ONE_HOST
    assert len(receiver.requests) == 40


def test_what_a_dead_courier_took_comes_up_again(
    redis: Redis, end_job: EndJob, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LEASE_S", 1.5)
    with Answering() as receiver:
        job_id = end_job(receiver.url)
        assert Deliveries(redis).claim(10) == [job_id]  # and dies
        taken = time.monotonic()
        with run():
            wait_until(lambda: is_settled(redis, job_id))
        assert time.monotonic() - taken >= 1.5
    assert len(receiver.requests) == 1


def test_a_courier_that_is_stopped_leaves_its_attempts_to_the_next(redis: Redis, end_job: EndJob, run: Run) -> None:
    with silent() as dead:
        job_id = end_job(dead.url)
        with run():
            wait_until(lambda: dead.calls)
            stopping = time.monotonic()
        assert time.monotonic() - stopping < 8
    assert redis.zscore(DUE, job_id) > time.time() + 30
    assert delivery(redis, job_id).attempts == []


def test_a_deleted_jobs_webhook_is_dropped(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering() as receiver:
        job_id = end_job(receiver.url)
        JobStore(redis, retention_s=3600).delete(job_id)
        assert redis.zcard(DUE) == 0
        redis.zadd(DUE, {job_id: time.time()})  # as a courier has it that took it before
        with run():
            wait_until(lambda: redis.zcard(DUE) == 0)
    assert receiver.requests == []
    assert not redis.exists(f"ep:job:{job_id}")


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("code", [200, 500])
def test_a_job_deleted_during_the_attempt_stays_deleted(redis: Redis, end_job: EndJob, run: Run, code: int) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        JobStore(redis, retention_s=3600).delete(job_id)
        status(code)(handler)

    with Answering(answer) as receiver:
        job_id = end_job(receiver.url)
        with run():
            wait_until(lambda: redis.zcard(DUE) == 0)
    assert len(receiver.requests) == 1
    assert not redis.exists(f"ep:job:{job_id}")


def test_jobs_without_a_webhook_and_canceled_ones_are_dropped(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering() as receiver, run():
        end_job(None)
        end_job(receiver.url, state=JobState.CANCELED)
        wait_until(lambda: redis.zcard(DUE) == 0)
    assert receiver.requests == []


def test_one_bad_delivery_does_not_stop_the_others(redis: Redis, end_job: EndJob, run: Run) -> None:
    def secret_of(owner: str | None) -> str:
        if owner == "bad":
            raise RuntimeError("no secret today")
        return SECRET

    with Answering() as receiver, run(secret_of=secret_of):
        bad = end_job(receiver.url, owner="bad")
        redis.hset(f"ep:job:{end_job(receiver.url)}", "params", "{broken")
        good = end_job(receiver.url)
        wait_until(lambda: is_settled(redis, good))
    assert len(receiver.requests) == 1
    assert redis.zscore(DUE, bad) > time.time() + 30  # tried again when the lease is over
