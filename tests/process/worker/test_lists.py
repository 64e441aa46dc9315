"""The lists of jobs follow their records."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis

from ep_core.schemas.reports.common import TargetRef
from ep_core.schemas.tasks import TASKS
from worker.broker import index
from worker.broker.contract import Finding, JobState
from worker.broker.store import JobStore

from .records import Make, assert_nothing_stays, bring_to


def test_the_sets_follow_the_states(store: JobStore, make_record: Make):
    record = make_record()
    store.create(record)
    assert (store.queued(), store.running()) == ({record.id}, set())
    store.start(record.id, worker="w")
    assert (store.queued(), store.running()) == (set(), {record.id})
    found = Finding(target=TargetRef(index=295, label="American black bear"), optimal_area=0.2)
    store.finish(record.id, JobState.SUCCEEDED, found=found)
    assert (store.queued(), store.running()) == (set(), set())
    assert store.get(record.id).found == found


def test_no_id_that_stays_is_missed_while_others_go(
    store: JobStore, redis: Redis, make_record: Make, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(index, "MOST_READ", 20)
    ids = [make_record().id for _ in range(300)]  # more than Redis keeps in one piece, which it answers at once
    redis.zadd("ep:jobs:queued", {one: k for k, one in enumerate(ids)})
    client, gone = store._index._redis, []

    def scan(*args: object, scanned=client.zscan, **options: object):
        answer = scanned(*args, **options)
        gone.append(ids[len(gone)])
        redis.zrem("ep:jobs:queued", gone[-1])
        return answer

    monkeypatch.setattr(client, "zscan", scan)
    assert store.queued() >= set(ids) - set(gone)
    assert len(gone) > 5


def test_pages_list_the_newest_first(store: JobStore, make_record: Make):
    """Also jobs of the very same microsecond, once each."""
    first, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    records = [make_record(created_at=first) for _ in range(5)] + [make_record(created_at=later) for _ in range(2)]
    for record in records:
        store.create(record)
    expected = [r.id for r in sorted(records, key=lambda r: (r.created_at, r.id), reverse=True)]
    for limit in (1, 2, 3, 6, 7, 8):
        seen, place = [], None
        while True:
            page, place = store.page(after=place, limit=limit)
            seen += [record.id for record in page]
            assert len(page) <= limit
            if place is None:
                break
        assert seen == expected


def test_a_page_goes_on_where_the_last_one_ended_whatever_came_or_went(store: JobStore, make_record: Make):
    ids = []
    for day in range(1, 7):
        record = make_record(created_at=datetime(2026, 1, day, tzinfo=UTC))
        store.create(record)
        ids.insert(0, record.id)
    page, place = store.page(limit=2)
    store.create(make_record(created_at=datetime(2026, 1, 9, tzinfo=UTC)))
    store.delete(ids[1])  # the place itself
    store.delete(ids[2])
    assert [record.id for record in page] == ids[:2]
    assert [record.id for record in store.page(after=place, limit=9)[0]] == ids[3:]


def test_pages_of_a_state_hold_only_its_jobs(store: JobStore, make_record: Make):
    by_state = {}
    for state in JobState:
        record = make_record()
        bring_to(store, record, state)
        by_state[state] = record.id
    for state, job_id in by_state.items():
        found, place = store.page(state=state, limit=5)
        assert ([record.id for record in found], place) == ([job_id], None)
    assert {record.id for record in store.page(limit=5)[0]} == set(by_state.values())


def test_pages_of_a_task_hold_only_its_jobs(store: JobStore, make_record: Make):
    ids: dict[str, list[str]] = {task: [] for task in TASKS}
    for day in range(1, 13):
        task, kind = list(TASKS.items())[day % len(TASKS)]
        record = make_record(params=kind.spec(), owner="ann", created_at=datetime(2026, 1, day, tzinfo=UTC))
        bring_to(store, record, JobState.RUNNING if day > 8 else JobState.SUCCEEDED)
        ids[task].insert(0, record.id)
    his = make_record(owner="bob", created_at=datetime(2026, 1, 20, tzinfo=UTC))
    store.create(his)

    def listed(**which: Any) -> list[str]:
        return [record.id for record in store.page(**which)[0]]

    assert listed(task="extremal", limit=9) == [his.id, *ids["extremal"]]
    for task, (running, *done) in ids.items():
        first, place = store.page(task=task, owner="ann", limit=2)
        rest, last = store.page(task=task, owner="ann", after=place, limit=2)
        assert ([record.id for record in first + rest], last) == ([running, *done], None)
        assert listed(task=task, owner="ann", state=JobState.RUNNING, limit=9) == [running]
        assert listed(task=task, state=JobState.SUCCEEDED, limit=9) == done
        assert listed(task=task, owner="bob", limit=9) == ([his.id] if task == "extremal" else [])


def test_expired_jobs_leave_the_lists(redis: Redis, make_record: Make):
    store = JobStore(redis, retention_s=1)
    gone = [make_record(owner=owner, params=task.spec()) for owner in (None, "ann") for task in TASKS.values()]
    kept = make_record(owner="bob")
    bring_to(store, gone[0], JobState.SUCCEEDED)
    assert store.forget_expired() == 0
    for record in gone[1:]:
        bring_to(store, record, JobState.SUCCEEDED)
    store.create(kept)
    deadline = time.monotonic() + 10
    while any(store.get_all([record.id for record in gone])):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [record.id for record in store.page(limit=99)[0]] == [kept.id]  # before the index knows
    forgotten = 0
    while forgotten < len(gone):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        forgotten += store.forget_expired()
    store.delete(kept.id)
    assert_nothing_stays(redis)


def test_positions_count_the_older_queued_jobs(store: JobStore, make_record: Make):
    records = [make_record() for _ in range(4)]
    for record in records:
        store.create(record)
    store.start(records[0].id, worker="w")
    assert [store.before(record.id, record.priority) for record in records] == [None, 0, 1, 2]
