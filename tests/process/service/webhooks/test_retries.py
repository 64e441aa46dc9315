"""A message goes out once, and again until it is heard."""

from __future__ import annotations

import pytest
from redis import Redis
from standardwebhooks import Webhook

from service.webhooks import courier as module
from tests.process.service.receivers import Answering, status

from .sending import DUE, SECRET, EndJob, Run, delivery, is_settled, wait_until


def test_of_several_couriers_one_delivers(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering() as receiver, run(3):
        jobs = [end_job(receiver.url) for _ in range(30)]
        wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs))
    assert sorted(request.headers["webhook-id"] for request in receiver.requests) == sorted(f"msg_{j}" for j in jobs)


@pytest.mark.usefixtures("no_waiting")
def test_a_message_is_repeated_until_it_is_heard(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering(status(500, 302, 200, Location="/elsewhere")) as receiver, run():
        job_id = end_job(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    assert delivery(redis, job_id).status == "delivered"
    assert [attempt.status_code for attempt in delivery(redis, job_id).attempts] == [500, 302, 200]
    assert [request.path for request in receiver.requests] == ["/hook"] * 3
    assert {request.headers["webhook-id"] for request in receiver.requests} == {f"msg_{job_id}"}
    assert len({request.body for request in receiver.requests}) == 1
    for request in receiver.requests:
        Webhook(SECRET).verify(request.body, request.headers)


@pytest.mark.usefixtures("no_waiting")
def test_after_the_last_retry_it_has_failed(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering(status(503)) as receiver, run():
        job_id = end_job(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    assert delivery(redis, job_id).status == "failed"
    assert len(receiver.requests) == len(delivery(redis, job_id).attempts) == 4
    assert redis.zcard(DUE) == 0


def test_the_retry_comes_when_it_is_due(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering(status(500)) as receiver, run():
        job_id = end_job(receiver.url)
        wait_until(lambda: delivery(redis, job_id).attempts)
        waiting = delivery(redis, job_id)
        wait_s = (waiting.next_attempt_at - waiting.attempts[0].at).total_seconds()
        assert 5.0 <= wait_s < 6.5
        assert abs(redis.zscore(DUE, job_id) - waiting.next_attempt_at.timestamp()) < 1
        wait_until(lambda: len(delivery(redis, job_id).attempts) == 2)
        first, second = delivery(redis, job_id).attempts
        assert 5.0 <= (second.at - first.at).total_seconds() < 8.0
    assert len(receiver.requests) == 2


def test_it_is_tried_for_hours() -> None:
    assert module.RETRY_AFTER_S == (5, 30, 120, 600, 1800, 7200, 21600)
    assert len(module.RETRY_AFTER_S) < module.KEPT_ATTEMPTS  # they are counted by those kept


def test_a_receiver_that_is_gone_is_not_called_again(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering(status(410)) as receiver, run():
        job_id = end_job(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    assert delivery(redis, job_id).status == "failed"
    assert len(receiver.requests) == 1
    assert redis.zcard(DUE) == 0


@pytest.mark.usefixtures("no_waiting")
def test_nobody_there_is_tried_again(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering() as receiver:
        pass
    with run():
        job_id = end_job(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    assert delivery(redis, job_id).status == "failed"
    assert [attempt.error for attempt in delivery(redis, job_id).attempts] == ["its host can't be reached"] * 4


def test_an_address_that_turned_private_fails_at_once(
    redis: Redis, end_job: EndJob, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.outbound.requests.look_up", lambda host, port: ["127.0.0.1"])
    with Answering() as receiver, run(allow_private=False):
        jobs = [end_job("https://hooks.example.com/"), end_job(receiver.url)]
        wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs))
    for job_id in jobs:
        failed = delivery(redis, job_id)
        assert failed.status == "failed"
        assert len(failed.attempts) == 1
        assert "127.0.0.1" not in failed.attempts[0].error
    assert receiver.requests == []
    assert redis.zcard(DUE) == 0
