"""Liveness of workers."""

from __future__ import annotations

import time

from redis import Redis

from worker.broker import liveness


def test_a_worker_lives_as_long_as_it_beats(redis: Redis):
    assert liveness.live_workers(redis) == 0
    liveness.beat(redis, "a", ttl_s=0.3)
    liveness.beat(redis, "b", ttl_s=60)
    assert liveness.live_workers(redis) == 2
    time.sleep(0.4)
    assert liveness.live_workers(redis) == 1
    liveness.beat(redis, "a", ttl_s=60)
    assert liveness.live_workers(redis) == 2


def test_the_first_beat_after_redis_forgot_is_told_apart(redis: Redis):
    assert not liveness.beat(redis, "a", ttl_s=60)
    assert liveness.beat(redis, "a", ttl_s=60)
    redis.flushdb()
    assert not liveness.beat(redis, "a", ttl_s=60)


def test_who_signs_off_is_gone_at_once(redis: Redis):
    liveness.beat(redis, "a", ttl_s=60)
    liveness.sign_off(redis, "a")
    assert liveness.live_workers(redis) == 0
    assert list(redis.scan_iter()) == []


def test_the_dead_are_forgotten_and_the_living_are_not(redis: Redis):
    liveness.beat(redis, "dead", ttl_s=0.05)
    liveness.beat(redis, "alive", ttl_s=60)
    time.sleep(0.1)
    liveness.forget_dead(redis)
    assert redis.smembers("ep:workers") == {b"alive"}


def test_workers_can_be_counted_by_host(redis: Redis):
    for name in ("node.example.1", "node.example.2", "node.17"):
        liveness.beat(redis, name, ttl_s=60)
    assert liveness.live_workers(redis, host="node.example") == 2
    assert liveness.live_workers(redis, host="node") == 1
    assert liveness.live_workers(redis, host="elsewhere") == 0
