"""Statistics of all workers together."""

from __future__ import annotations

from math import inf

import pytest
from redis import Redis

from worker.broker.contract import JobState
from worker.broker.statistics import RUN_BUCKETS_S, WAIT_BUCKETS_S, Counter, Stats


def test_nothing_is_counted_at_first(redis: Redis):
    counted = Stats(redis).read()
    assert (dict(counted.counters), dict(counted.histograms)) == ({}, {})


def test_jobs_are_counted_by_task_and_state(redis: Redis):
    one, other = Stats(redis), Stats(redis)
    one.ran("extremal", JobState.SUCCEEDED, waited_s=0, ran_s=3, iterations=40)
    other.ran("extremal", JobState.SUCCEEDED, waited_s=0, ran_s=3, iterations=2)
    other.ran("compare", JobState.FAILED, waited_s=0, ran_s=3)
    other.lost("compare")
    other.loaded("timm:resnet18")
    counters = one.read().counters
    assert counters[Counter.FINISHED] == {"extremal/succeeded": 2, "compare/failed": 2}
    assert counters[Counter.ITERATIONS] == {"extremal": 42, "compare": 0}
    assert counters[Counter.MODEL_LOADS] == {"timm:resnet18": 1}


def test_steps_of_shared_batches_are_counted(redis: Redis):
    Stats(redis).stepped(batches=2, lanes=20, rows=32, seconds=0.5)
    Stats(redis).stepped(batches=1, lanes=6, rows=16, seconds=0.25)
    counted = {"batches": 3, "lanes": 26, "rows": 48, "ms": 750}
    assert Stats(redis).read().counters[Counter.SHARED_STEPS] == counted


def test_webhooks_are_counted_by_outcome(redis: Redis):
    for outcome in ("retried", "retried", "delivered"):
        Stats(redis).delivery(outcome)
    assert Stats(redis).read().counters[Counter.DELIVERIES] == {"retried": 2, "delivered": 1}


def test_what_another_version_counts_is_left_out(redis: Redis):
    stats = Stats(redis)
    stats.ran("extremal", JobState.SUCCEEDED, waited_s=0, ran_s=3, iterations=40)
    before = stats.read()
    redis.hset("ep:stats", mapping={"poems:sonnet": 3, "poem_s:sonnet:4": 1, "poems": 1, "": 1, "loads:a:b": "x"})
    redis.hset(
        "ep:stats", mapping={"run_s:extremal:99": 1, "run_s:extremal:median": 2.5, "iterations:extremal2": "1.5"}
    )
    assert stats.read() == before


def test_seconds_go_into_the_bucket_whose_bound_they_do_not_exceed(redis: Redis):
    stats = Stats(redis)
    for seconds in (0.2, 1.0, 1.01, 3600.0, 3601.0):
        stats.ran("extremal", JobState.SUCCEEDED, waited_s=2 * seconds, ran_s=seconds)
    run, wait = (stats.read().histograms[name]["extremal"] for name in (Counter.RUN_S, Counter.WAIT_S))
    assert run.cumulative == [(1.0, 2), *[(bound, 3) for bound in RUN_BUCKETS_S[1:-1]], (3600.0, 4), (inf, 5)]
    assert (run.count, run.total) == (5, pytest.approx(7203.21))
    assert [count for _, count in wait.cumulative] == [0, 1, 1, 3, 3, 3, 3, 3, 3, 5]
    assert [bound for bound, _ in wait.cumulative] == [*WAIT_BUCKETS_S, inf]
