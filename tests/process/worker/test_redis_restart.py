"""Redis comes and goes; the worker waits and goes on."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from service.run.embedded_redis import EmbeddedRedis
from tests.redis_faults import full_disk
from worker.broker import catalogue, queue
from worker.broker.contract import JobRecord, JobState
from worker.broker.liveness import live_workers
from worker.broker.store import JobStore
from worker.process.gpu_worker import GpuWorker
from worker.process.runtime import Runtime
from worker.settings import WorkerSettings

from .small_jobs import GATED, TINY

if TYPE_CHECKING:
    from conftest import Client, WorkerProcess

StartWorker: TypeAlias = "Callable[..., tuple[Client, WorkerProcess]]"

PATIENCE_S = 30.0


def test_a_worker_outlives_redis(
    tmp_path: Path,
    bear: bytes,
    gate: Path,
    start_worker: Callable[..., WorkerProcess],
    make_client: Callable[[Redis], Client],
):
    server = EmbeddedRedis(tmp_path / "redis")
    worker = start_worker(server.url, EP_HEARTBEAT_S=0.5, EP_PRELOAD="none")
    worker.wait_line("waiting for Redis")  # it starts before Redis does
    with server:
        redis = queue.connect(server.url)
        worker.wait_ready(redis)
        client = make_client(redis)
        assert client.wait_final(client.post(bear, **TINY)).state is JobState.SUCCEEDED
        pid = worker.pid

        server.stop()
        worker.wait_line("no heartbeat")
        server.start()
        assert client.wait_final(client.post(bear, **TINY)).state is JobState.SUCCEEDED

        # Away in the middle of a job: it goes on without.
        job_id = client.post(bear, **GATED)
        client.wait_iterating(job_id)
        server.stop()
        worker.wait_line("progress waits")
        server.start()
        gate.touch()
        assert client.wait_final(job_id).state is JobState.SUCCEEDED

        # All is forgotten: what the worker offers is published again.
        redis.flushall()
        deadline = time.monotonic() + PATIENCE_S
        while not (catalogue.names(redis) and live_workers(redis)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert client.wait_final(client.post(bear, **TINY)).state is JobState.SUCCEEDED
    assert worker.alive
    assert worker.pid == pid
    worker.send(signal.SIGTERM)  # while Redis is away
    assert worker.wait() == 0
    assert "Traceback" not in worker.log.read_text()


def test_a_full_disk_is_waited_for(
    tmp_path: Path,
    bear: bytes,
    gate: Path,
    start_worker: Callable[..., WorkerProcess],
    make_client: Callable[[Redis], Client],
):
    with EmbeddedRedis(tmp_path / "redis") as server:
        redis = queue.connect(server.url)
        worker = start_worker(server.url, EP_HEARTBEAT_S=0.4, EP_PRELOAD="none")
        worker.wait_ready(redis)
        client = make_client(redis)
        running, waiting = (client.post(bear, **job) for job in (GATED, TINY))
        client.wait_iterating(running)
        with full_disk(server):
            gate.touch()
            worker.wait_line("Redis takes no writes")  # at its end, which it can't store
            while client.store.leased([running]):  # nobody can renew it
                time.sleep(0.05)
            with pytest.raises(queue.RedisRefuses):
                client.post(bear, **TINY)
        for job_id in (running, waiting, client.post(bear, **TINY)):
            assert client.wait_final(job_id).state is JobState.SUCCEEDED
        assert worker.alive
        assert "Traceback" not in worker.log.read_text()


@pytest.mark.parametrize("lost", ["rq:execution:*", "rq:job:*", "rq:*"])
def test_what_rq_has_lost_meanwhile_is_no_failure(own: StartWorker, bear: bytes, gate: Path, lost: str):
    client, worker = own(EP_HEARTBEAT_S=60)  # no heartbeat brings it back
    job_id = client.post(bear, **GATED)
    client.wait_iterating(job_id)
    assert client.redis.delete(*client.redis.scan_iter(lost)) > 0
    gate.touch()
    record = client.wait_final(job_id)
    assert (record.state, record.attempt) == (JobState.SUCCEEDED, 1)
    client.wait_tidy(job_id, "ep:blobs", "ep:job")
    assert "Traceback" not in worker.log.read_text()


def test_no_lease_is_renewed_for_a_job_whose_end_redis_missed(tmp_path: Path, make_record: Callable[..., JobRecord]):
    with EmbeddedRedis(tmp_path) as server:
        redis, record = queue.connect(server.url, retries=0), make_record()
        JobStore(redis, retention_s=600).create(record)
        queue.enqueue(redis, record.id, timeout_s=60)
        runtime = Runtime.build("w", WorkerSettings(redis_url=server.url), redis)
        worker = GpuWorker(runtime, redis)
        job = Job.fetch(record.id, connection=redis, serializer=JSONSerializer)
        execution = worker.prepare_execution(job)
        server.stop()
        with pytest.raises(queue.REDIS_AWAY):
            worker.perform_job(job, worker.queues[0], execution)
        assert not worker.executions


def test_a_heartbeat_while_a_worker_registers_is_no_other_worker(unit_url: str, redis: Redis):
    worker = GpuWorker(Runtime.build("w", WorkerSettings(redis_url=unit_url), redis), redis)
    registered = threading.Event()

    def beat() -> None:
        while not registered.is_set():
            worker.renew_lease()

    beats = threading.Thread(target=beat)
    beats.start()
    try:
        for _ in range(200):
            worker.register_birth()
    finally:
        registered.set()
        beats.join()
