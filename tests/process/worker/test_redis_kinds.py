"""Redis by its Sentinels, and a Redis Cluster, which is refused with the reason."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from service.access.rates import RateLimits
from service.app import create_app
from service.settings import ApiSettings
from tests.redis_kinds import PASSWORD, cluster_node, watched_redis
from worker.broker.contract import JobState
from worker.broker.queue import REDIS_UNUSABLE, RedisIsCluster, connect, connect_async, connect_waiting, probe
from worker.broker.sentinel import Sentinels
from worker.settings import SharedSettings

from .small_jobs import TINY

if TYPE_CHECKING:
    from conftest import Client, WorkerProcess
    from redis import Redis


def test_an_address_of_sentinels() -> None:
    url = "rediss+sentinel://me:p%40ss@one:1,two,[::1]:3/jobs/4?ssl_ca_certs=/ca.pem&sentinel_password=own"
    found = Sentinels.of(url)
    assert found is not None
    assert (found.places, found.primary) == ((("one", 1), ("two", 26379), ("::1", 3)), "jobs")
    tls = {"ssl": True, "ssl_ca_certs": "/ca.pem"}
    assert found.of_primary == {"username": "me", "password": "p@ss", "db": 4, **tls}
    assert found.of_sentinels == {"password": "own", **tls}
    assert Sentinels.of("redis://one:6379/0") is None
    assert SharedSettings(redis_url="redis+sentinel://a,b/jobs", redis_password="p@").redis_url == (
        "redis+sentinel://:p%40@a,b/jobs"
    )


@pytest.mark.parametrize("url", ["redis+sentinel://one:1", "redis+sentinel:///jobs/0"])
def test_an_address_that_lacks_the_name_or_the_hosts(url: str) -> None:
    with pytest.raises(ValueError, match="needs hosts and the primary's name"):
        SharedSettings(redis_url=url)


def test_jobs_go_on_after_the_primary_has_died(
    tmp_path: Path,
    start_worker: Callable[..., WorkerProcess],
    make_client: Callable[[Redis], Client],
    bear: bytes,
) -> None:
    with watched_redis(tmp_path) as watched:
        url = SharedSettings(redis_url=watched.url, redis_password=PASSWORD).redis_url
        redis = connect(url)
        worker = start_worker(watched.url, EP_REDIS_PASSWORD=PASSWORD, EP_PRELOAD="none", EP_HEARTBEAT_S=0.5)
        worker.wait_ready(redis)
        client = make_client(redis)
        first = client.post(bear, **TINY)
        assert client.wait_final(first).state is JobState.SUCCEEDED
        redis.wait(1, 5000)
        watched.kill_primary()
        _until_usable(redis)
        assert client.get(first).state is JobState.SUCCEEDED  # the replica has it
        assert client.wait_final(client.post(bear, **TINY)).state is JobState.SUCCEEDED
        assert RateLimits(redis).hit("5/minute", "me").remaining == 4
        asyncio.run(_read(url))


def _until_usable(redis: Redis) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            probe(redis)
            return
        except REDIS_UNUSABLE:
            assert time.monotonic() < deadline
            time.sleep(0.05)


async def _read(url: str) -> None:
    """Read by both of the API's asynchronous clients, the one with few connections by many at once."""
    polls, waiting = connect_async(url, retries=1, timeout_s=2.0, connections=2), connect_waiting(url)
    assert await asyncio.gather(*(polls.exists(f"key-{k}") for k in range(20))) == [0] * 20
    assert await waiting.xread({"nothing": 0}, block=10) in ([], {})
    await polls.aclose()
    await waiting.aclose()


def test_a_cluster_is_refused_with_the_reason(tmp_path: Path, start_worker: Callable[..., WorkerProcess]) -> None:
    with cluster_node(tmp_path) as url:
        for database in ("", "/0", "/1"):
            with pytest.raises(RedisIsCluster, match="cluster mode off"):
                probe(connect(url + database))
        worker = start_worker(url)
        with TestClient(create_app(ApiSettings(redis_url=url)), base_url="http://127.0.0.1") as client:
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
            assert "cluster mode off" in answer.json()["detail"]
        assert worker.wait() == os.EX_CONFIG
        assert "Redis is a cluster: " in worker.log.read_text()
        assert "Traceback" not in worker.log.read_text()
