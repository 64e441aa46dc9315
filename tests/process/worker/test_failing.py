"""Failing a job, also in a full Redis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from redis.exceptions import OutOfMemoryError

from ep_core.schemas.reports.file_names import RESULT
from service.run.embedded_redis import EmbeddedRedis
from worker.broker.blobs import open_blobs
from worker.broker.contract import INPUT, JobRecord, JobState
from worker.broker.failing import fail_job
from worker.broker.problems import worker_lost
from worker.broker.queue import connect
from worker.broker.store import JobStore


@pytest.mark.parametrize("keep_images", [False, True])
def test_a_job_fails_in_a_full_redis(make_record: Callable[..., JobRecord], tmp_path: Path, keep_images: bool):
    with EmbeddedRedis(tmp_path) as server, connect(server.url) as redis:
        store, blobs, record = JobStore(redis, retention_s=600), open_blobs(None, redis), make_record()
        store.create(record.model_copy(update={"keep_images": keep_images}))
        attempt = store.start(record.id, worker="w", lease_s=60)
        for name in (INPUT, RESULT):
            blobs.put(record.id, name, b"0" * 1000)
        redis.config_set("maxmemory", 1)
        with pytest.raises(OutOfMemoryError):
            blobs.put(record.id, RESULT, b"1")
        failed = fail_job(store, blobs, record.id, worker_lost(), attempt=attempt, retention_s=600)
        assert failed is not None
        assert (failed.state, failed.error) == (JobState.FAILED, worker_lost())
        assert blobs.names(record.id) == ([INPUT] if keep_images else [])
        assert fail_job(store, blobs, record.id, worker_lost(), attempt=attempt, retention_s=600) is None
