"""The heartbeat's thread when the main thread hangs."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from redis import Redis

from ep_core.schemas.reports.file_names import RESULT
from worker.broker.blobs import open_blobs
from worker.broker.contract import INPUT, JobRecord, JobState
from worker.broker.liveness import live_workers
from worker.broker.store import JobStore
from worker.process.activity import Activity
from worker.process.heartbeat import EXIT_HUNG, Heartbeat
from worker.process.runtime import Runtime
from worker.settings import WorkerSettings


class Exited(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def process_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(code: int) -> None:
        raise Exited(code)

    monkeypatch.setattr(os, "_exit", leave)


def give_up(redis: Redis, store: JobStore, job_id: str, *, attempt: int, limit_s: float) -> int:
    """Let the heartbeat find that the main thread hangs in an attempt; returns the exit code."""
    activity = Activity(stall_s=-1)  # silent for too long from the start
    activity.begin(job_id, attempt=attempt, limit_s=limit_s)
    blobs = open_blobs(None, redis)
    runtime = Runtime(
        "w", WorkerSettings(), store, blobs, models=None, activity=activity, stats=None, results=None, is_offered=bool
    )
    with pytest.raises(Exited) as end:
        Heartbeat(runtime, redis, renew=lambda: None, welcome=lambda: None).run()
    return end.value.args[0]


@pytest.mark.parametrize(
    ("limit_s", "attempts", "state"),
    [(-1, 1, JobState.FAILED), (1000, 1, JobState.RUNNING), (1000, 2, JobState.FAILED)],
)
def test_a_job_over_its_time_fails_and_a_stalled_one_is_left_to_its_next_worker_once(
    redis: Redis,
    store: JobStore,
    make_record: Callable[..., JobRecord],
    limit_s: float,
    attempts: int,
    state: JobState,
):
    record, blobs = make_record(), open_blobs(None, redis)
    store.create(record)
    blobs.put(record.id, INPUT, b"image")
    attempt = [store.start(record.id, worker="w") for _ in range(attempts)][-1]
    assert give_up(redis, store, record.id, attempt=attempt, limit_s=limit_s) == EXIT_HUNG
    assert store.get(record.id).state is state
    assert bool(blobs.names(record.id)) == (state is JobState.RUNNING)
    assert live_workers(redis) == 0


@pytest.mark.parametrize("taken_over", ["running", "succeeded"])
def test_an_attempt_that_was_taken_over_touches_nothing_of_the_newer_one(
    redis: Redis,
    store: JobStore,
    make_record: Callable[..., JobRecord],
    taken_over: str,
):
    record, blobs = make_record(), open_blobs(None, redis)
    store.create(record)
    first, second = (store.start(record.id, worker=worker) for worker in ("w", "other"))
    for name in (INPUT, RESULT):
        blobs.put(record.id, name, b"of the second attempt")
    if taken_over == "succeeded":
        store.finish(record.id, JobState.SUCCEEDED, attempt=second)
    give_up(redis, store, record.id, attempt=first, limit_s=-1)
    assert store.get(record.id).state.value == taken_over
    assert blobs.names(record.id) == [INPUT, RESULT]
