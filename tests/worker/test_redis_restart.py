"""Redis comes and goes; the worker waits and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis

from service.embedded_redis import EmbeddedRedis
from worker import catalogue, queue
from worker.contract import JobState
from worker.liveness import live_workers

if TYPE_CHECKING:
    from conftest import Client, WorkerProcess

JOB = {"areas": (0.1,), "iterations": 5}


def test_a_worker_outlives_redis(
    tmp_path: Path, bear: bytes, start_worker: Callable[..., WorkerProcess], make_client: Callable[[Redis], Client]
):
    server = EmbeddedRedis(tmp_path / "redis")
    worker = start_worker(server.url, EP_HEARTBEAT_S=0.5)
    time.sleep(1.0)  # it starts before Redis does
    with server:
        redis = queue.connect(server.url)
        worker.wait_ready(redis)
        client = make_client(redis)
        assert client.wait_final(client.post(bear, **JOB)).state is JobState.SUCCEEDED
        pid = worker.pid

        server.stop()
        time.sleep(2.0)
        server.start()
        assert client.wait_final(client.post(bear, **JOB)).state is JobState.SUCCEEDED

        # Away in the middle of a job: it goes on without.
        job_id = client.post(bear, **JOB | {"iterations": 100})
        client.wait_iterating(job_id)
        server.stop()
        time.sleep(1.0)
        server.start()
        assert client.wait_final(job_id).state is JobState.SUCCEEDED

        # All is forgotten: what the worker offers is published again.
        redis.flushall()
        deadline = time.monotonic() + 10
        while not (catalogue.names(redis) and live_workers(redis)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert client.wait_final(client.post(bear, **JOB)).state is JobState.SUCCEEDED
    assert worker.alive
    assert worker.pid == pid
    assert "Traceback" not in worker.log.read_text()
