"""Several jobs at once on one worker: each with its own lease, limits and failure."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from worker.broker.contract import JobState
from worker.broker.liveness import live_workers
from worker.broker.statistics import Counter, Stats
from worker.broker.stepping import stepping
from worker.process.main import EXIT_POISONED

from .small_jobs import GATED, TINY

if TYPE_CHECKING:
    from conftest import Client, WorkerProcess

StartWorker: TypeAlias = "Callable[..., tuple[Client, WorkerProcess]]"
SEATS = 4
MANY = 8
RECOVERY_S = 30.0


@pytest.fixture
def seated(own: StartWorker) -> StartWorker:
    """Starts a worker with some seats, by default four, and gives its client too."""

    def start(*, seats: int = SEATS, **settings: object) -> tuple[Client, WorkerProcess]:
        client, worker = own(EP_JOBS_AT_ONCE=seats, EP_HEARTBEAT_S=0.5, **settings)
        worker.wait_ready(client.redis, workers=seats)
        return client, worker

    return start


def begin(client: Client, image: bytes, count: int = SEATS, **more: object) -> list[str]:
    """Post jobs that take a while, and wait until they run."""
    jobs = [client.post(image, **GATED | {"seed": seed} | more) for seed in range(count)]
    for job_id in jobs:
        client.wait_iterating(job_id)
    return jobs


def states(client: Client, jobs: list[str], **how: float) -> list[tuple[JobState, int]]:
    records = [client.wait_final(job_id, **how) for job_id in jobs]
    return [(record.state, record.attempt) for record in records]


def test_as_many_run_as_there_are_seats_and_a_canceled_one_makes_room(seated: StartWorker, bear: bytes, gate: Path):
    client, _ = seated()
    jobs = begin(client, bear)
    assert len({client.get(job_id).worker for job_id in jobs}) == SEATS
    waiting = client.post(bear, **GATED)
    before = client.get(jobs[0]).progress.iteration
    client.wait(jobs[0], lambda record: record.progress.iteration > before)  # all that run go on
    client.wait(jobs[0], lambda _: stepping(client.redis) is not None)
    assert stepping(client.redis).jobs == SEATS
    assert client.get(waiting).state is JobState.QUEUED
    assert client.store.finish(jobs[1], JobState.CANCELED)
    client.wait_iterating(waiting)
    gate.touch()
    assert states(client, [jobs[0], *jobs[2:], waiting]) == [(JobState.SUCCEEDED, 1)] * SEATS
    assert client.get(jobs[1]).state is JobState.CANCELED
    for job_id in [*jobs[2:], waiting]:
        record = client.get(job_id)
        assert record.started_at < record.progress.first_step_at < record.finished_at
    counters = Stats(client.redis).read().counters
    steps = counters[Counter.SHARED_STEPS]
    assert steps["lanes"] > steps["batches"] > 0  # those of several jobs were together
    assert all(counters[Counter.CPU_MS][part] > 0 for part in ("steps", "pictures", "store", "rest"))
    for job_id in (*jobs, waiting):
        client.wait_tidy(job_id, *([] if job_id == jobs[1] else ["ep:blobs"]), "ep:job")


def test_one_that_fails_takes_no_other_with_it(seated: StartWorker, bear: bytes, gate: Path):
    client, _ = seated()
    jobs = begin(client, bear, count=2)
    bad = [client.post(bear, **TINY | {"model": model}) for model in ("raises", "hungry")]
    assert [client.wait_final(job_id).error.type for job_id in bad] == [
        "/problems/internal-error",
        "/problems/out-of-memory",
    ]
    assert all(client.get(job_id).state is JobState.RUNNING for job_id in jobs)
    gate.touch()
    assert states(client, jobs) == [(JobState.SUCCEEDED, 1)] * 2


def test_one_over_its_time_ends_alone(seated: StartWorker, bear: bytes, gate: Path):
    client, _ = seated(EP_JOB_TIMEOUT_S=10)
    job_id = client.post(bear, **GATED | {"iterations": 4000})
    tiny = client.wait_final(client.post(bear, **TINY))
    assert tiny.state is JobState.SUCCEEDED, tiny.error
    assert client.wait_final(job_id).error.type == "/problems/timed-out"
    gate.touch()
    assert client.wait_final(client.post(bear, **GATED)).state is JobState.SUCCEEDED


def test_sigterm_lets_all_finish_within_the_grace(seated: StartWorker, bear: bytes, gate: Path):
    client, worker = seated(seats=MANY, EP_STOP_GRACE_S=60)
    jobs = begin(client, bear, count=MANY, iterations=200)
    worker.send(signal.SIGTERM)
    gate.touch()
    assert worker.wait(within_s=60) == 0
    assert states(client, jobs) == [(JobState.SUCCEEDED, 1)] * MANY
    assert live_workers(client.redis) == 0


def test_sigterm_puts_back_all_that_cannot_finish(seated: StartWorker, bear: bytes, gate: Path):
    client, worker = seated(seats=MANY, EP_STOP_GRACE_S=0.5)
    jobs = begin(client, bear, count=MANY, iterations=200)
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    worker.restart()
    gate.touch()
    assert states(client, jobs) == [(JobState.SUCCEEDED, 1)] * MANY


def test_all_jobs_of_a_killed_worker_are_run_again(seated: StartWorker, bear: bytes, gate: Path):
    client, worker = seated()
    jobs = begin(client, bear)
    worker.kill()
    worker.restart()
    for job_id in jobs:
        client.wait_iterating(job_id, attempt=2, within_s=RECOVERY_S)
    gate.touch()
    assert states(client, jobs) == [(JobState.SUCCEEDED, 2)] * SEATS


def test_two_workers_share_the_jobs_and_one_takes_over_those_of_the_other(
    seated: StartWorker, start_worker: Callable[..., WorkerProcess], bear: bytes, gate: Path
):
    client, killed = seated(seats=2)
    other = start_worker(client.url, EP_JOBS_AT_ONCE=2, EP_HEARTBEAT_S=0.5)
    other.wait_ready(client.redis, workers=4)
    jobs = begin(client, bear)
    lost = [job_id for job_id in jobs if f".{killed.pid}-" in client.get(job_id).worker]
    assert len(lost) == 2
    killed.kill()
    gate.touch()
    assert states(client, jobs) == [(JobState.SUCCEEDED, 2 if job_id in lost else 1) for job_id in jobs]
    assert all(f".{other.pid}-" in client.get(job_id).worker for job_id in jobs)


def test_a_seat_takes_those_of_low_priority_after_others(seated: StartWorker, bear: bytes):
    client, _ = seated(seats=2)
    jobs = begin(client, bear, count=2, iterations=4000)
    low = [client.post(bear, fields={"priority": "low"}, **TINY) for _ in range(2)]
    normal = [client.post(bear, **TINY) for _ in range(4)]
    client.delete(jobs[0])  # the other seat stays taken: one serves all
    records = [client.wait_final(job_id) for job_id in (*low, *normal)]
    assert {record.state for record in records} == {JobState.SUCCEEDED}
    started = sorted(records, key=lambda record: record.started_at)
    assert [record.priority for record in started] == ["normal"] * 3 + ["low", "normal", "low"]
    assert client.get(jobs[1]).state is JobState.RUNNING


def test_a_poisoned_device_ends_the_worker_and_puts_the_other_jobs_back(seated: StartWorker, bear: bytes, gate: Path):
    client, worker = seated()
    jobs = begin(client, bear, count=SEATS - 1)
    bad = client.post(bear, **TINY | {"model": "poisons"})
    assert client.wait_final(bad).error.type == "/problems/device-failed"
    assert worker.wait() == EXIT_POISONED
    worker.restart()
    gate.touch()
    assert states(client, jobs) == [(JobState.SUCCEEDED, 1)] * (SEATS - 1)


def test_an_idle_worker_ends_soon(seated: StartWorker):
    client, worker = seated(EP_STOP_GRACE_S=60)
    worker.send(signal.SIGTERM)
    assert worker.wait(within_s=10) == 0
    assert live_workers(client.redis) == 0
    assert "Traceback" not in worker.log.read_text()
