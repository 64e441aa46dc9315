"""Jobs with webhooks as the API and workers leave them, and couriers that deliver."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from redis import Redis

from ep_core.schemas.specs import ExtremalSpec
from service.settings import ApiSettings
from service.webhooks.courier import run_courier
from worker.broker.contract import Delivery, JobRecord, JobState
from worker.broker.problems import worker_lost
from worker.broker.store import JobStore

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
DUE = "ep:deliveries"
PATIENCE_S = 20.0

EndJob = Callable[..., str]
Run = Callable[..., AbstractContextManager[None]]


def finish_job(redis: Redis, url: str | None, *, state: JobState = JobState.SUCCEEDED, owner: str | None = None) -> str:
    """Do what the API and a worker do to a job with a webhook; returns its id."""
    record = JobRecord(id=uuid4().hex, params=ExtremalSpec(), created_at=datetime.now(UTC), webhook=url, owner=owner)
    store = JobStore(redis, retention_s=3600)
    store.create(record)
    attempt = store.start(record.id, worker="test")
    error = worker_lost() if state is JobState.FAILED else None
    assert store.finish(record.id, state, attempt=attempt, error=error)
    return record.id


def wait_until(condition: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it didn't come true in time"
        time.sleep(0.02)


@contextmanager
def couriers(
    url: str, count: int = 1, *, allow_private: bool = True, secret_of: Callable[[str | None], str | None] | None = None
) -> Iterator[None]:
    """Run couriers in threads, as the API does."""
    settings = ApiSettings(redis_url=url, allow_private_urls=allow_private)
    stop = threading.Event()
    work = partial(run_courier, settings, stop, secret_of=secret_of or (lambda owner: SECRET))
    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=20)
            assert not thread.is_alive()


def delivery(redis: Redis, job_id: str) -> Delivery:
    record = JobStore(redis, retention_s=3600).get(job_id)
    assert record is not None
    return record.delivery or Delivery()


def is_settled(redis: Redis, job_id: str) -> bool:
    return delivery(redis, job_id).status != "pending"
