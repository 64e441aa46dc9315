"""The schedule of deliveries in Redis, shared by all couriers."""

from __future__ import annotations

import threading
import time

import pytest
from redis import Redis

from service.run.embedded_redis import EmbeddedRedis
from service.webhooks import schedule
from service.webhooks.schedule import Deliveries
from worker.broker.contract import Delivery

from .sending import DUE


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
