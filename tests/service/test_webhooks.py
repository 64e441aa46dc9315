"""Webhooks reach those who asked for them: signed, at least once, and whatever becomes of other receivers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis
from standardwebhooks import Webhook

from ep_core.spec import ExtremalSpec
from service.embedded_redis import EmbeddedRedis
from service.settings import ApiSettings
from service.webhooks import courier as module
from service.webhooks import hosts, schedule
from service.webhooks.courier import run_courier
from service.webhooks.schedule import Deliveries
from worker.contract import Delivery, JobRecord, JobState
from worker.problems import worker_lost
from worker.store import JobStore

from .receivers import Answering, silent, status

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
DUE = "ep:deliveries"
PATIENCE_S = 20.0

Finish = Callable[..., str]
Run = Callable[..., AbstractContextManager[None]]


def finish_job(redis: Redis, url: str | None, *, state: JobState = JobState.SUCCEEDED, owner: str | None = None) -> str:
    """Do what the API and a worker do to a job with a webhook; returns its id."""
    record = JobRecord(id=uuid4().hex, params=ExtremalSpec(), created_at=datetime.now(UTC), webhook=url, owner=owner)
    store = JobStore(redis, retention_s=3600)
    store.create(record)
    attempt = store.start(record.id, worker="test")
    error = worker_lost() if state is JobState.FAILED else None
    assert store.finish(record.id, state, attempt=attempt, error=error)
    return record.id


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis of our own: the couriers of the other tests' API would take our messages."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def finish(redis: Redis) -> Finish:
    return partial(finish_job, redis)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(module, "RETRY_AFTER_S", (0.1, 0.2, 0.3))


def wait_until(condition: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it didn't come true in time"
        time.sleep(0.02)


@contextmanager
def couriers(
    url: str, count: int = 1, *, allow_private: bool = True, secret_of: Callable[[str | None], str | None] | None = None
) -> Iterator[None]:
    """Run couriers in threads, as the API does."""
    settings = ApiSettings(redis_url=url, allow_private_urls=allow_private)
    stop = threading.Event()
    work = partial(run_courier, settings, stop, secret_of=secret_of or (lambda owner: SECRET))
    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=5)
            assert not thread.is_alive()


@pytest.fixture
def run(redis_server: EmbeddedRedis) -> Run:
    return partial(couriers, redis_server.url)


def delivery(redis: Redis, job_id: str) -> Delivery:
    record = JobStore(redis, retention_s=3600).get(job_id)
    assert record is not None
    return record.delivery or Delivery()


def is_settled(redis: Redis, job_id: str) -> bool:
    return delivery(redis, job_id).status != "pending"


def test_a_message_is_signed_and_says_what_became_of_the_job(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering() as receiver, run():
        job_id = finish(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    (request,) = receiver.requests
    message = Webhook(SECRET).verify(request.body, request.headers)
    record = JobStore(redis, retention_s=3600).get(job_id)
    assert message == {
        "type": "job.succeeded",
        "timestamp": message["data"]["finished_at"],
        "data": {
            "id": job_id,
            "status": "succeeded",
            "task": "extremal",
            "created_at": message["data"]["created_at"],
            "finished_at": message["data"]["finished_at"],
            "links": {"self": f"/v1/jobs/{job_id}", "result": f"/v1/jobs/{job_id}/result"},
        },
    }
    assert datetime.fromisoformat(message["timestamp"]) == record.finished_at
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == f"msg_{job_id}"
    assert record.delivery.status == "delivered"
    assert record.delivery.next_attempt_at is None
    (attempt,) = record.delivery.attempts
    assert (attempt.status_code, attempt.error) == (204, None)
    assert 0 <= attempt.ms < 10_000
    assert redis.zcard(DUE) == 0


def test_a_failed_jobs_message_says_why_and_has_no_result(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering() as receiver, run():
        job_id = finish(receiver.url, state=JobState.FAILED)
        wait_until(lambda: is_settled(redis, job_id))
    message = Webhook(SECRET).verify(receiver.requests[0].body, receiver.requests[0].headers)
    assert message["type"] == "job.failed"
    assert message["data"]["error"]["type"] == "/problems/worker-lost"
    assert message["data"]["links"] == {"self": f"/v1/jobs/{job_id}"}


def test_each_owners_messages_are_signed_with_the_owners_secret(redis: Redis, finish: Finish, run: Run) -> None:
    other = "whsec_" + "b3RoZXIgb3RoZXIgb3RoZXI="
    with Answering() as receiver, run(secret_of={"ann": SECRET, "bob": other, None: None}.get):
        jobs = [finish(receiver.url, owner=owner) for owner in ("ann", "bob", None)]
        wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs))
    requests = {request.headers["webhook-id"]: request for request in receiver.requests}
    ann, bob = (requests.pop(f"msg_{job_id}") for job_id in jobs[:2])
    Webhook(SECRET).verify(ann.body, ann.headers)
    Webhook(other).verify(bob.body, bob.headers)
    assert requests == {}  # without a secret (any more) nothing goes out
    assert "no secret" in str(delivery(redis, jobs[2]).attempts[0].error)


def test_of_several_couriers_one_delivers(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering() as receiver, run(3):
        jobs = [finish(receiver.url) for _ in range(30)]
        wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs))
    assert sorted(request.headers["webhook-id"] for request in receiver.requests) == sorted(f"msg_{j}" for j in jobs)


@pytest.mark.usefixtures("no_waiting")
def test_a_message_is_repeated_until_it_is_heard(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering(status(500, 302, 200, Location="/elsewhere")) as receiver, run():
        job_id = finish(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    assert delivery(redis, job_id).status == "delivered"
    assert [attempt.status_code for attempt in delivery(redis, job_id).attempts] == [500, 302, 200]
    assert [request.path for request in receiver.requests] == ["/hook"] * 3
    assert {request.headers["webhook-id"] for request in receiver.requests} == {f"msg_{job_id}"}
    assert len({request.body for request in receiver.requests}) == 1
    for request in receiver.requests:
        Webhook(SECRET).verify(request.body, request.headers)


@pytest.mark.usefixtures("no_waiting")
def test_after_the_last_retry_it_has_failed(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering(status(503)) as receiver, run():
        job_id = finish(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    assert delivery(redis, job_id).status == "failed"
    assert len(receiver.requests) == len(delivery(redis, job_id).attempts) == 4
    assert redis.zcard(DUE) == 0


def test_the_retry_comes_when_it_is_due(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering(status(500)) as receiver, run():
        job_id = finish(receiver.url)
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


def test_a_receiver_that_is_gone_is_not_called_again(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering(status(410)) as receiver, run():
        job_id = finish(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    assert delivery(redis, job_id).status == "failed"
    assert len(receiver.requests) == 1
    assert redis.zcard(DUE) == 0


@pytest.mark.usefixtures("no_waiting")
def test_nobody_there_is_tried_again(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering() as receiver:
        pass
    with run():
        job_id = finish(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    assert delivery(redis, job_id).status == "failed"
    assert [attempt.error for attempt in delivery(redis, job_id).attempts] == ["its host can't be reached"] * 4


def test_an_address_that_turned_private_fails_at_once(
    redis: Redis, finish: Finish, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.outbound.look_up", lambda host, port: ["127.0.0.1"])
    with Answering() as receiver, run(allow_private=False):
        jobs = [finish("https://hooks.example.com/"), finish(receiver.url)]
        wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs))
    for job_id in jobs:
        failed = delivery(redis, job_id)
        assert failed.status == "failed"
        assert len(failed.attempts) == 1
        assert "127.0.0.1" not in failed.attempts[0].error
    assert receiver.requests == []
    assert redis.zcard(DUE) == 0


def test_a_dead_receiver_holds_up_nobody_else(redis: Redis, finish: Finish, run: Run) -> None:
    with silent() as dead, Answering() as receiver:
        stuck = [finish(dead.url.replace("127.0.0.1", "localhost")) for _ in range(100)]
        jobs = [finish(receiver.url) for _ in range(20)]
        with run():
            wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs), within_s=8)
            assert not any(delivery(redis, job_id).attempts for job_id in stuck)
            assert len(dead.calls) == hosts.AT_ONE_HOST
        assert {request.headers["webhook-id"] for request in receiver.requests} == {f"msg_{j}" for j in jobs}
        assert redis.zcard(DUE) == len(stuck)  # all of them will be tried again


def test_a_slow_host_gets_few_calls_at_once_and_all_of_them_in_the_end(redis: Redis, finish: Finish, run: Run) -> None:
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
        jobs = [finish(receiver.url) for _ in range(40)]
        wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs))
    assert most == hosts.AT_ONE_HOST
    assert len(receiver.requests) == 40


def test_what_a_dead_courier_took_comes_up_again(
    redis: Redis, finish: Finish, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LEASE_S", 1.5)
    with Answering() as receiver:
        job_id = finish(receiver.url)
        assert Deliveries(redis).claim(10) == [job_id]  # and dies
        taken = time.monotonic()
        with run():
            wait_until(lambda: is_settled(redis, job_id))
        assert time.monotonic() - taken >= 1.5
    assert len(receiver.requests) == 1


def test_a_courier_that_is_stopped_leaves_its_attempts_to_the_next(redis: Redis, finish: Finish, run: Run) -> None:
    with silent() as dead:
        job_id = finish(dead.url)
        with run():
            wait_until(lambda: dead.calls)
            stopping = time.monotonic()
        assert time.monotonic() - stopping < 2.5
    assert redis.zscore(DUE, job_id) > time.time() + 30
    assert delivery(redis, job_id).attempts == []


def test_a_deleted_jobs_webhook_is_dropped(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering() as receiver:
        job_id = finish(receiver.url)
        JobStore(redis, retention_s=3600).delete(job_id)
        assert redis.zcard(DUE) == 0
        redis.zadd(DUE, {job_id: time.time()})  # as a courier has it that took it before
        with run():
            wait_until(lambda: redis.zcard(DUE) == 0)
    assert receiver.requests == []
    assert not redis.exists(f"ep:job:{job_id}")


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("code", [200, 500])
def test_a_job_deleted_during_the_attempt_stays_deleted(redis: Redis, finish: Finish, run: Run, code: int) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        JobStore(redis, retention_s=3600).delete(job_id)
        status(code)(handler)

    with Answering(answer) as receiver:
        job_id = finish(receiver.url)
        with run():
            wait_until(lambda: redis.zcard(DUE) == 0)
    assert len(receiver.requests) == 1
    assert not redis.exists(f"ep:job:{job_id}")


def test_jobs_without_a_webhook_and_canceled_ones_are_dropped(redis: Redis, finish: Finish, run: Run) -> None:
    with Answering() as receiver, run():
        finish(None)
        finish(receiver.url, state=JobState.CANCELED)
        wait_until(lambda: redis.zcard(DUE) == 0)
    assert receiver.requests == []


def test_one_bad_delivery_does_not_stop_the_others(redis: Redis, finish: Finish, run: Run) -> None:
    def secret_of(owner: str | None) -> str:
        if owner == "bad":
            raise RuntimeError("no secret today")
        return SECRET

    with Answering() as receiver, run(secret_of=secret_of):
        bad = finish(receiver.url, owner="bad")
        redis.hset(f"ep:job:{finish(receiver.url)}", "params", "{broken")
        good = finish(receiver.url)
        wait_until(lambda: is_settled(redis, good))
    assert len(receiver.requests) == 1
    assert redis.zscore(DUE, bad) > time.time() + 30  # tried again when the lease is over


def test_an_outage_of_redis_is_survived(tmp_path: Path) -> None:
    """Redis goes away during an attempt: what came of it is written down when it is back, and nothing is sent twice."""
    called = threading.Event()
    back = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        called.set()
        back.wait(PATIENCE_S)
        status(200)(handler)

    with EmbeddedRedis(tmp_path) as server, Answering(answer) as receiver:
        redis = Redis.from_url(server.url)
        with couriers(server.url):
            first = finish_job(redis, receiver.url)
            assert called.wait(PATIENCE_S)
            server.stop()
            back.set()
            time.sleep(1.5)
            server.start()
            wait_until(lambda: is_settled(redis, first))
            second = finish_job(redis, receiver.url)
            wait_until(lambda: is_settled(redis, second))
        assert [r.headers["webhook-id"] for r in receiver.requests] == [f"msg_{first}", f"msg_{second}"]


def test_it_starts_and_stops_while_redis_is_away(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    with couriers(server.url):
        time.sleep(0.5)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 3
    with Answering() as receiver, couriers(server.url), server:
        redis = Redis.from_url(server.url)
        job_id = finish_job(redis, receiver.url)
        wait_until(lambda: is_settled(redis, job_id))


def test_claims_take_what_is_due_the_longest_due_first(redis: Redis) -> None:
    deliveries = Deliveries(redis)
    assert deliveries.next_due_s() is None
    now = time.time()
    redis.zadd(DUE, {"b": now - 1, "a": now - 2, "c": now - 0.5, "later": now + 60})
    assert deliveries.next_due_s() == pytest.approx(-2, abs=0.5)
    assert deliveries.claim(2) == ["a", "b"]
    assert deliveries.claim(2) == ["c"]
    assert deliveries.claim(2) == []
    assert deliveries.next_due_s() == pytest.approx(60, abs=0.5)
    assert redis.zscore(DUE, "a") == pytest.approx(now + schedule.LEASE_S, abs=1)


def test_many_claimers_share_without_overlap(redis: Redis, redis_server: EmbeddedRedis) -> None:
    redis.zadd(DUE, {str(k): time.time() - 1 for k in range(500)})
    taken: list[str] = []

    def claim() -> None:
        with Redis.from_url(redis_server.url) as client:
            deliveries = Deliveries(client)
            while ids := deliveries.claim(7):
                taken.extend(ids)

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken, key=int) == [str(k) for k in range(500)]


def test_what_was_taken_out_is_not_put_back(redis: Redis) -> None:
    deliveries = Deliveries(redis)
    redis.zadd(DUE, {"gone": 1, "there": 1})
    redis.hset("ep:job:there", "id", "there")
    deliveries.done("gone")
    deliveries.later("gone", 5)
    assert not deliveries.settle("gone", Delivery(), delay_s=5)
    assert redis.zrange(DUE, 0, -1) == [b"there"]
    deliveries.later("there", 5.5)
    assert deliveries.next_due_s() == pytest.approx(5.5, abs=0.3)
    assert deliveries.settle("there", Delivery(status="delivered"))
    assert redis.zcard(DUE) == 0
    assert not redis.exists("ep:job:gone")
