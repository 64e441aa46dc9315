"""The record moves as the state machine says, whoever writes and how late."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from ep_core.report import PartialPoint, TargetRef
from ep_core.spec import SPECS, ExtremalSpec
from worker.contract import MAX_ATTEMPTS, MOVES, Finding, JobProgress, JobRecord, JobState, Origin, Problem
from worker.events import GONE_S, MOST_EVENTS, event_key
from worker.store import AlreadyRuns, JobStore

FINAL = [state for state in JobState if state.is_final]
PROGRESS = JobProgress(iteration=3, total=10, fraction=0.3)
POINTS = [PartialPoint(area=0.1, measured_area=0.2, score=1.5)]

Make = Callable[..., JobRecord]


def bring_to(store: JobStore, record: JobRecord, state: JobState) -> int | None:
    """Create the record and move it to `state` by legal moves; returns the attempt, if one was started."""
    store.create(record)
    attempt = None
    if state in (JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED):
        attempt = store.start(record.id, worker="w")
    if state.is_final:
        assert store.finish(record.id, state)
    return attempt


def assert_nothing_stays(redis: Redis) -> None:
    """All that is left is for those who watch a deleted job, and goes by itself soon."""
    left = list(redis.scan_iter("ep:*"))
    assert all(key.startswith(b"ep:events:") and 0 < redis.ttl(key) <= GONE_S for key in left), left


def events(redis: Redis, job_id: str) -> list[tuple[str, str]]:
    return [(fields[b"kind"].decode(), fields[b"data"].decode()) for _, fields in redis.xrange(event_key(job_id))]


@pytest.mark.parametrize(
    "request_id", [None, "12345678901234567890123456789012", "null", "0f8fad5b-d9cb-469f-a165-7086772895e1"]
)
def test_a_record_says_which_request_it_came_from(store: JobStore, make_record: Make, request_id: str | None):
    traceparent = request_id and f"00-{'a' * 32}-{'b' * 16}-01"
    record = make_record(request_id=request_id, traceparent=traceparent)
    store.create(record)
    assert store.get(record.id) == record
    assert store.origin(record.id) == Origin(request_id, traceparent)


def test_nothing_is_known_of_where_a_job_came_from_that_is_gone(store: JobStore):
    assert store.origin("gone") == Origin()


@pytest.mark.parametrize("new", FINAL)
@pytest.mark.parametrize("old", list(JobState))
def test_only_the_moves_of_the_state_machine_are_made(store: JobStore, make_record: Make, old: JobState, new: JobState):
    record = make_record()
    bring_to(store, record, old)
    moved = store.finish(record.id, new)
    assert moved == (new in MOVES[old])
    assert store.get(record.id).state is (new if moved else old)


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


def test_events_tell_of_every_move(store: JobStore, redis: Redis, make_record: Make):
    record = make_record()
    attempt = bring_to(store, record, JobState.RUNNING)
    store.update(record.id, attempt=attempt, progress=PROGRESS, partial_curve=POINTS)
    assert not store.update(record.id, attempt=attempt + 1, progress=PROGRESS, partial_curve=[])
    store.give_back(record.id, attempt=attempt)
    kinds = [kind for kind, _ in events(redis, record.id)]
    assert kinds == ["state", "state", "progress", "state"]
    told = json.loads(events(redis, record.id)[2][1])
    assert JobProgress.model_validate(told["progress"]) == PROGRESS
    assert [PartialPoint.model_validate(point) for point in told["partial_curve"]] == POINTS


def test_of_a_finished_job_its_last_event_stays(store: JobStore, redis: Redis, make_record: Make):
    record = make_record()
    bring_to(store, record, JobState.SUCCEEDED)
    assert events(redis, record.id) == [("state", "succeeded")]
    assert 0 < redis.ttl(event_key(record.id)) <= 600


def test_events_are_capped(store: JobStore, redis: Redis, make_record: Make):
    record = make_record()
    attempt = bring_to(store, record, JobState.RUNNING)
    for _ in range(2 * MOST_EVENTS):
        store.update(record.id, attempt=attempt, progress=PROGRESS, partial_curve=POINTS)
    assert MOST_EVENTS <= redis.xlen(event_key(record.id)) < 1.6 * MOST_EVENTS


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


def test_scores_that_are_not_finite_are_left_out_of_what_is_told(store: JobStore, redis: Redis, make_record: Make):
    record = make_record()
    attempt = bring_to(store, record, JobState.RUNNING)
    nan = PartialPoint(area=0.2, measured_area=0.2, score=float("nan"))
    assert store.update(record.id, attempt=attempt, progress=PROGRESS, partial_curve=[nan, *POINTS])
    assert store.get(record.id).partial_curve == POINTS
    redis.hset(f"ep:job:{record.id}", "partial_curve", '[{"area":0.2,"measured_area":0.2,"score":null}]')
    kept = store.get(record.id)
    assert (kept.partial_curve, kept.progress, kept.state) == ([], PROGRESS, JobState.RUNNING)


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


def test_finishing_starts_the_retention(store: JobStore, redis: Redis, make_record: Make):
    record = make_record()
    bring_to(store, record, JobState.RUNNING)
    assert redis.ttl(f"ep:job:{record.id}") == -1
    store.finish(record.id, JobState.FAILED, error=Problem(type="/problems/x", title="X", status=500, detail="y"))
    assert 0 < redis.ttl(f"ep:job:{record.id}") <= 600
    finished = store.get(record.id)
    assert finished.error.detail == "y"
    assert finished.finished_at is not None


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
    ids: dict[str, list[str]] = {task: [] for task in SPECS}
    for day in range(1, 13):
        task, spec = list(SPECS.items())[day % len(SPECS)]
        record = make_record(params=spec(), owner="ann", created_at=datetime(2026, 1, day, tzinfo=UTC))
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
    gone = [make_record(owner=owner, params=spec()) for owner in (None, "ann") for spec in SPECS.values()]
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


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.CANCELED])
def test_a_deleted_job_leaves_nothing_and_stays_deleted(
    store: JobStore, redis: Redis, make_record: Make, state: JobState
):
    record = make_record()
    bring_to(store, record, state)
    assert store.delete(record.id)
    assert not store.delete(record.id)
    assert store.start(record.id, worker="w") is None
    assert not store.update(record.id, attempt=1, progress=PROGRESS, partial_curve=POINTS)
    assert not store.finish(record.id, JobState.SUCCEEDED, attempt=1)
    assert store.get(record.id) is None
    assert_nothing_stays(redis)


specs = st.builds(
    ExtremalSpec,
    model=st.text(min_size=1, max_size=20),
    target=st.none() | st.integers(0, 999) | st.text(min_size=1, max_size=20),
    areas=st.lists(st.floats(0.001, 0.999), min_size=1, max_size=5, unique=True).map(tuple),
    variant=st.sampled_from(["preserve", "delete", "hybrid"]),
    seed=st.integers(0, 2**63 - 1),
    threshold=st.floats(0.001, 10),
)
progresses = st.builds(JobProgress, iteration=st.integers(0, 9), total=st.just(9), fraction=st.floats(0, 1))
problems = st.builds(
    Problem, type=st.text(), title=st.text(), status=st.integers(400, 599), detail=st.text(), field=st.text()
)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
records = st.builds(
    JobRecord,
    id=st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True),
    state=st.sampled_from(JobState),
    params=specs,
    created_at=times,
    started_at=st.none() | times,
    finished_at=st.none() | times,
    attempt=st.integers(0, 2),
    worker=st.none() | st.text(max_size=20),
    progress=st.none()
    | st.builds(JobProgress, iteration=st.integers(0, 9), total=st.just(9), fraction=st.floats(0, 1)),
    partial_curve=st.lists(
        st.builds(PartialPoint, area=st.floats(0, 1), measured_area=st.floats(0, 1), score=st.floats(-99, 99)),
        max_size=3,
    ),
    error=st.none() | problems,
)


@given(record=records)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_record_comes_back_as_it_was_stored(store: JobStore, record: JobRecord):
    store.delete(record.id)
    store.create(record)
    assert store.get(record.id) == record
