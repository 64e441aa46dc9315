"""Faults of a real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from service.run.embedded_redis import EmbeddedRedis


@contextmanager
def full_disk(server: EmbeddedRedis) -> Iterator[None]:
    """Make a server's saves fail, as on a full disk: it takes no writes until they succeed again.

    A folder is where its file should go.
    """
    in_the_way = server.directory / "dump.rdb"
    with Redis.from_url(server.url) as redis:
        redis.config_set("save", "3600 1000000")
        in_the_way.mkdir()
        _save(redis, "err")
        try:
            yield
        finally:
            in_the_way.rmdir()
            _save(redis, "ok")


def _save(redis: Redis, status: str) -> None:
    redis.bgsave()
    deadline = time.monotonic() + 10
    while (found := redis.info("persistence"))["rdb_bgsave_in_progress"] or found["rdb_last_bgsave_status"] != status:
        assert time.monotonic() < deadline
        time.sleep(0.02)
