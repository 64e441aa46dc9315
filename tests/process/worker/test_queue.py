"""The queue in Redis between the API and the workers."""

from __future__ import annotations

import json
import zlib

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from rq.job import Job
from rq.serializers import JSONSerializer

from worker.broker import queue
from worker.broker.contract import MAX_ATTEMPTS


def test_a_job_is_json_with_bounds_on_its_life(redis: Redis):
    queue.enqueue(redis, "abc", timeout_s=100)
    stored = redis.hgetall("rq:job:abc")
    assert json.loads(zlib.decompress(stored[b"data"])) == ["worker.tasks.run_job", None, ["abc"], {}]
    job = Job.fetch("abc", connection=redis, serializer=JSONSerializer)
    assert (job.timeout, job.result_ttl, job.failure_ttl) == (100 + queue.TIMEOUT_GRACE_S, 0, queue.FAILURE_TTL_S)
    assert job.retries_left == MAX_ATTEMPTS - 1
    assert not any(value.startswith(b"\x80") for value in stored.values())  # what every pickle begins with


def test_jobs_wait_in_order(redis: Redis):
    for job_id in ("a", "b", "c"):
        queue.enqueue(redis, job_id, timeout_s=10)
    assert queue.job_queue(redis).job_ids == ["a", "b", "c"]


def test_a_long_queue_is_read_in_slices_and_misses_none_that_waits_all_the_while(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(queue, "MOST_READ", 2)
    waiting = queue.job_queue(redis)
    redis.rpush(waiting.key, *"abcdefg")
    read, slices = waiting.connection.lrange, []

    def lrange(*args: object) -> list[bytes]:
        slices.append(read(*args))
        redis.lpop(waiting.key)  # a worker takes the oldest one
        redis.rpush(waiting.key, f"new {len(slices)}")
        return slices[-1]

    monkeypatch.setattr(waiting.connection, "lrange", lrange)
    assert set("efg") < queue.waiting_in(waiting)
    assert max(map(len, slices)) == 2


def test_a_removed_job_leaves_nothing(redis: Redis):
    queue.enqueue(redis, "a", timeout_s=10)
    before = set(redis.scan_iter())
    queue.enqueue(redis, "b", timeout_s=10)
    assert queue.remove(redis, "b")
    assert not queue.remove(redis, "b")
    assert set(redis.scan_iter()) == before
    assert queue.job_queue(redis).job_ids == ["a"]


def test_without_redis_it_gives_up_soon():
    client = queue.connect("redis://127.0.0.1:1/0")
    with pytest.raises(RedisConnectionError):
        client.ping()
