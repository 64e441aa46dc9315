"""Workers that die, hang or are told to stop in the middle of a job."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.stopping_worker import CALLS, stopping_worker
from worker.broker import queue
from worker.broker.contract import JobState
from worker.broker.liveness import live_workers
from worker.janitor import Janitor
from worker.process.heartbeat import EXIT_HUNG
from worker.process.main import EXIT_POISONED
from worker.settings import SharedSettings

from .small_jobs import GATED, TINY

if TYPE_CHECKING:
    from conftest import Client, WorkerProcess
    from redis import Redis

RECOVERY_S = 30.0

StartWorker: TypeAlias = "Callable[..., tuple[Client, WorkerProcess]]"


def test_a_killed_workers_job_is_run_again_within_30_s_once(own: StartWorker, bear: bytes, gate: Path):
    client, worker = own(EP_HEARTBEAT_S=0.5)  # by default it's within 30 s: tests/stack/journeys/test_main_job.py
    job_id = client.post(bear, **GATED)
    client.wait_iterating(job_id)
    worker.kill()
    worker.restart()
    client.wait_iterating(job_id, attempt=2, within_s=RECOVERY_S)
    gate.touch()
    record = client.wait_final(job_id)
    assert (record.state, record.attempt) == (JobState.SUCCEEDED, 2)
    client.wait_tidy(job_id, "ep:blobs", "ep:job")
    Janitor(client.redis, SharedSettings()).sweep()
    assert client.wait_final(client.post(bear, **TINY)).state is JobState.SUCCEEDED
    assert client.get(job_id) == record  # nobody ran it a third time


@pytest.mark.parametrize("others", [1, 2])
def test_a_paused_worker_that_comes_back_leaves_its_job_to_the_one_that_took_over(
    own: StartWorker, start_worker: Callable[..., WorkerProcess], bear: bytes, gate: Path, others: int
):
    settings = {"EP_HEARTBEAT_S": 0.4, "EP_PRELOAD": "none"}
    client, worker = own(**settings)
    workers = [worker, *(start_worker(client.url, **settings) for _ in range(others))]
    worker.wait_ready(client.redis, workers=len(workers))
    job_id = client.post(bear, **GATED)
    first = client.wait_iterating(job_id)
    (worker,) = (one for one in workers if first.worker.endswith(f".{one.pid}"))
    worker.send(signal.SIGSTOP)
    taken = client.wait_iterating(job_id, attempt=2, within_s=RECOVERY_S)
    worker.send(signal.SIGCONT)
    worker.wait_line("job stopped", "attempt=1")
    gate.touch()
    record = client.wait_final(job_id)
    assert (record.state, record.attempt, record.worker) == (JobState.SUCCEEDED, 2, taken.worker)
    client.wait_tidy(job_id, "ep:blobs", "ep:job")
    assert client.wait_final(client.post(bear, **TINY)).state is JobState.SUCCEEDED


def test_a_job_that_loses_its_worker_each_time_fails(own: StartWorker, bear: bytes):
    client, worker = own(EP_HEARTBEAT_S=0.5, EP_MAX_ATTEMPTS=2)
    job_id = client.post(bear, **GATED)
    for attempt in (1, 2):
        client.wait_iterating(job_id, attempt=attempt, within_s=RECOVERY_S)
        worker.kill()
        worker.restart()
    record = client.wait_final(job_id, within_s=RECOVERY_S)
    assert (record.state, record.error.type) == (JobState.FAILED, "/problems/worker-lost")
    client.wait_tidy(job_id, "ep:job")
    worker.wait_ready(client.redis)
    assert client.wait_final(client.post(bear, **TINY)).state is JobState.SUCCEEDED


def test_the_dead_do_not_count_as_alive_for_long(own: StartWorker):
    client, worker = own(EP_HEARTBEAT_S=0.2)
    assert live_workers(client.redis) == 1
    worker.kill()
    deadline = time.monotonic() + RECOVERY_S
    while live_workers(client.redis):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_sigterm_lets_a_job_finish_within_the_grace(own: StartWorker, bear: bytes, gate: Path):
    client, worker = own(EP_STOP_GRACE_S=60)
    job_id = client.post(bear, **GATED)
    client.wait_iterating(job_id)
    worker.send(signal.SIGTERM)
    gate.touch()
    assert worker.wait(within_s=60) == 0
    record = client.get(job_id)
    assert (record.state, record.attempt) == (JobState.SUCCEEDED, 1)
    assert live_workers(client.redis) == 0


@pytest.mark.parametrize("signals", [1, 2])
def test_sigterm_puts_back_what_cannot_finish_and_that_is_no_attempt(
    own: StartWorker, bear: bytes, gate: Path, signals: int
):
    client, worker = own(EP_STOP_GRACE_S=0.5 if signals == 1 else 60)
    job_id = client.post(bear, **GATED)
    client.wait_iterating(job_id)
    for _ in range(signals):
        worker.send(signal.SIGTERM)
        time.sleep(0.2)
    assert worker.wait() == 0
    assert client.get(job_id).state is JobState.RUNNING
    worker.restart()
    gate.touch()
    record = client.wait_final(job_id)
    assert (record.state, record.attempt) == (JobState.SUCCEEDED, 1)


@pytest.mark.parametrize("phase", CALLS)
def test_sigterm_in_any_phase_loses_no_job(
    new_database: Callable[[], str],
    make_client: Callable[[Redis], Client],
    start_worker: Callable[..., WorkerProcess],
    tiny_models_file: Path,
    tmp_path: Path,
    bear: bytes,
    phase: str,
):
    """`make stops` does it a hundred times each."""
    url, log = new_database(), tmp_path / "stopped.log"
    client = make_client(queue.connect(url))
    env = {"EP_REDIS_URL": url, "EP_THREADS": "1", "EP_MODELS_FILE": str(tiny_models_file), "EP_PRELOAD": "none"}
    worker = stopping_worker(os.environ | env | {"EP_STOP_GRACE_S": "0"}, log, phase=phase, stopped=tmp_path / "told")
    job_id = client.post(bear, **TINY)
    worker.start()
    worker.join(30)
    assert worker.exitcode == os.EX_OK, log.read_text()
    assert (tmp_path / "told").read_text() == f"{job_id}\n"
    ended = client.get(job_id).state
    assert (ended is JobState.SUCCEEDED) != ("job put back" in log.read_text())
    start_worker(url, EP_PRELOAD="none")
    record = client.wait_final(job_id)
    assert (record.state, record.attempt) == (JobState.SUCCEEDED, 1)


def test_sigterm_ends_a_worker_that_has_not_begun(start_worker: Callable[..., WorkerProcess]):
    """As the first process of a container it would ignore the signal that it doesn't handle."""
    worker = start_worker("redis://127.0.0.1:1/0")
    worker.wait_line("waiting for Redis")
    worker.send(signal.SIGTERM)
    assert worker.wait(within_s=10) == 128 + signal.SIGTERM


def test_sigterm_ends_an_idle_worker_at_once(own: StartWorker):
    client, worker = own(EP_STOP_GRACE_S=60)
    worker.send(signal.SIGTERM)
    assert worker.wait(within_s=4) == 0  # a wait for a job that goes on takes five seconds
    assert live_workers(client.redis) == 0
    assert "Traceback" not in worker.log.read_text()


def test_a_hung_worker_ends_itself(own: StartWorker, bear: bytes):
    client, worker = own(EP_STALL_S=2, EP_HEARTBEAT_S=0.5)
    job_id = client.post(bear, model="hangs", areas=(0.1,), iterations=5)
    client.wait(job_id, lambda record: record.state is JobState.RUNNING)
    # Loading the model is allowed its own, long time; the network hangs after that.
    assert worker.wait(within_s=30) == EXIT_HUNG
    assert live_workers(client.redis) == 0


def test_a_poisoned_gpu_fails_the_job_and_ends_the_worker(own: StartWorker, bear: bytes):
    client, worker = own()
    job_id = client.post(bear, model="poisons", areas=(0.1,), iterations=5)
    record = client.wait_final(job_id)
    assert (record.state, record.error.type) == (JobState.FAILED, "/problems/device-failed")
    assert worker.wait() == EXIT_POISONED
    assert live_workers(client.redis) == 0
