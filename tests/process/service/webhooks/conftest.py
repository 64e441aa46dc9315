"""Fixtures for webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from redis import Redis

from service.run.embedded_redis import EmbeddedRedis
from service.webhooks import courier as module

from .sending import EndJob, Run, couriers, finish_job


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis of our own: the couriers of the other tests' API would take our messages."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def end_job(redis: Redis) -> EndJob:
    return partial(finish_job, redis)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(module, "RETRY_AFTER_S", (0.1, 0.2, 0.3))


@pytest.fixture
def run(redis_server: EmbeddedRedis) -> Run:
    return partial(couriers, redis_server.url)
