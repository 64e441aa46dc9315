"""Attempts at a job: only the current one may write."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from worker.broker.contract import MAX_ATTEMPTS, JobState
from worker.broker.store import AlreadyRuns, JobStore

from .records import FINAL, POINTS, PROGRESS, Make, bring_to


@pytest.mark.parametrize("old", list(JobState))
def test_only_unfinished_jobs_can_be_started(store: JobStore, make_record: Make, old: JobState):
    record = make_record()
    bring_to(store, record, old)
    started = store.start(record.id, worker="w")
    assert (started is not None) == (not old.is_final)
    assert store.get(record.id).state is (old if old.is_final else JobState.RUNNING)


def test_a_job_is_started_twice_at_most(store: JobStore, make_record: Make):
    record = make_record()
    store.create(record)
    assert [store.start(record.id, worker="w") for _ in range(MAX_ATTEMPTS + 1)] == [1, 2, 3, 4, 5, None]


def test_a_stale_attempt_writes_nothing(store: JobStore, make_record: Make):
    record = make_record()
    first = bring_to(store, record, JobState.RUNNING)
    second = store.start(record.id, worker="other")
    assert not store.holds(record.id, attempt=first)
    assert not store.update(record.id, attempt=first, progress=PROGRESS, partial_curve=POINTS)
    assert not store.finish(record.id, JobState.FAILED, attempt=first)
    assert not store.give_back(record.id, attempt=first)
    assert store.get(record.id).progress is None
    assert store.finish(record.id, JobState.SUCCEEDED, attempt=second)


def test_a_job_that_a_living_attempt_runs_is_not_started_again(store: JobStore, redis: Redis, make_record: Make):
    record = make_record()
    store.create(record)
    first = store.start(record.id, worker="w", lease_s=0.3)
    with pytest.raises(AlreadyRuns):
        store.start(record.id, worker="other", lease_s=60)
    assert store.leased([record.id, "gone"]) == {record.id}
    assert store.renew(record.id, attempt=first, lease_s=0.05)
    time.sleep(0.1)
    assert store.leased([record.id]) == set()
    second = store.start(record.id, worker="other", lease_s=60)
    assert (first, second) == (1, 2)
    assert not store.renew(record.id, attempt=first, lease_s=60)
    assert store.finish(record.id, JobState.SUCCEEDED, attempt=second)
    assert not store.renew(record.id, attempt=second, lease_s=60)
    assert list(redis.scan_iter("ep:lease:*")) == []


@pytest.mark.parametrize("end", ["give_back", "delete"])
def test_a_lease_ends_with_its_attempt(store: JobStore, redis: Redis, make_record: Make, end: str):
    record = make_record()
    store.create(record)
    attempt = store.start(record.id, worker="w", lease_s=60)
    assert store.give_back(record.id, attempt=attempt) if end == "give_back" else store.delete(record.id)
    assert list(redis.scan_iter("ep:lease:*")) == []


def test_a_new_attempt_starts_without_the_old_progress(store: JobStore, make_record: Make):
    record = make_record()
    first = bring_to(store, record, JobState.RUNNING)
    assert store.update(record.id, attempt=first, progress=PROGRESS, partial_curve=POINTS)
    assert store.get(record.id).partial_curve == POINTS
    store.start(record.id, worker="other")
    again = store.get(record.id)
    assert (again.attempt, again.worker, again.progress, again.partial_curve) == (2, "other", None, [])


def test_of_concurrent_finishes_one_wins(store: JobStore, make_record: Make):
    for _ in range(20):
        record = make_record()
        bring_to(store, record, JobState.RUNNING)
        with ThreadPoolExecutor(8) as pool:
            wanted = [FINAL[i % len(FINAL)] for i in range(8)]
            won = list(pool.map(lambda state, job_id=record.id: store.finish(job_id, state), wanted))
        assert won.count(True) == 1
        assert store.get(record.id).state is wanted[won.index(True)]


def test_an_attempt_given_back_does_not_count(store: JobStore, make_record: Make):
    record = make_record()
    for _ in range(5):
        attempt = (
            store.start(record.id, worker="w") if store.get(record.id) else bring_to(store, record, JobState.RUNNING)
        )
        assert attempt == 1
        assert store.give_back(record.id, attempt=attempt)
        assert not store.holds(record.id, attempt=attempt)
    assert store.start(record.id, worker="w") == 1
    assert store.start(record.id, worker="w") == 2
