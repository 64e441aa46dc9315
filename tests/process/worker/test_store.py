"""The record moves as the state machine says, and comes back as it was stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from ep_core.schemas.reports.extremal import PartialPoint
from ep_core.schemas.specs import ExtremalSpec
from worker.broker.contract import MOVES, JobProgress, JobRecord, JobState, Origin, Problem
from worker.broker.events import MOST_EVENTS, event_key
from worker.broker.store import JobStore

from .records import FINAL, POINTS, PROGRESS, Make, assert_nothing_stays, bring_to, events


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


def test_of_a_finished_job_the_events_take_no_more_room_than_the_last_one_needs(
    store: JobStore, redis: Redis, make_record: Make
):
    record = make_record()
    attempt = bring_to(store, record, JobState.RUNNING)
    for _ in range(20):
        store.update(record.id, attempt=attempt, progress=PROGRESS, partial_curve=POINTS)
    before = redis.xinfo_stream(event_key(record.id))["last-generated-id"]
    assert redis.memory_usage(event_key(record.id)) > 4096
    assert store.finish(record.id, JobState.SUCCEEDED, attempt=attempt)
    assert redis.memory_usage(event_key(record.id)) < 1024
    after = redis.xinfo_stream(event_key(record.id))["last-generated-id"]
    assert [int(part) for part in after.split(b"-")] > [int(part) for part in before.split(b"-")]


def test_a_record_is_stored_as_one_piece_of_memory_not_as_a_table(store: JobStore, redis: Redis, make_record: Make):
    record = make_record(images=["a photograph whose name has more than sixty-four characters, as some have.jpg"])
    attempt = bring_to(store, record, JobState.RUNNING)
    store.update(record.id, attempt=attempt, progress=PROGRESS, partial_curve=20 * POINTS)
    assert redis.object("encoding", f"ep:job:{record.id}") == b"listpack"


def test_events_are_capped(store: JobStore, redis: Redis, make_record: Make):
    record = make_record()
    attempt = bring_to(store, record, JobState.RUNNING)
    for _ in range(2 * MOST_EVENTS):
        store.update(record.id, attempt=attempt, progress=PROGRESS, partial_curve=POINTS)
    assert MOST_EVENTS <= redis.xlen(event_key(record.id)) < 1.6 * MOST_EVENTS


def test_scores_that_are_not_finite_are_left_out_of_what_is_told(store: JobStore, redis: Redis, make_record: Make):
    record = make_record()
    attempt = bring_to(store, record, JobState.RUNNING)
    nan = PartialPoint(area=0.2, measured_area=0.2, score=float("nan"))
    assert store.update(record.id, attempt=attempt, progress=PROGRESS, partial_curve=[nan, *POINTS])
    assert store.get(record.id).partial_curve == POINTS
    redis.hset(f"ep:job:{record.id}", "partial_curve", '[{"area":0.2,"measured_area":0.2,"score":null}]')
    kept = store.get(record.id)
    assert (kept.partial_curve, kept.progress, kept.state) == ([], PROGRESS, JobState.RUNNING)


def test_finishing_starts_the_retention(store: JobStore, redis: Redis, make_record: Make):
    record = make_record()
    bring_to(store, record, JobState.RUNNING)
    assert redis.ttl(f"ep:job:{record.id}") == -1
    store.finish(record.id, JobState.FAILED, error=Problem(type="/problems/x", title="X", status=500, detail="y"))
    assert 0 < redis.ttl(f"ep:job:{record.id}") <= 600
    finished = store.get(record.id)
    assert finished.error.detail == "y"
    assert finished.finished_at is not None


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
