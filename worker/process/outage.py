"""Outages of Redis: a worker waits until it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from redis import Redis
from redis.exceptions import RedisError

from worker.broker.queue import RedisIsCluster, probe

from .activity import Activity

MAX_PAUSE_S = 2.0  # a signal is heeded after it

log = structlog.get_logger(__name__)


def wait_for_redis(redis: Redis, activity: Activity, *, unless: Callable[[], bool] = bool) -> bool:
    """Return True when Redis answers and takes writes, False once `unless()`; log a message while it does neither.

    Raises:
        RedisIsCluster: it never will.
    """
    pause_s = 0.5
    while not unless():
        activity.tick()
        try:
            probe(redis)
        except RedisIsCluster:
            raise
        except RedisError as error:
            log.warning("waiting for Redis", error=str(error))
            time.sleep(pause_s)
            pause_s = min(MAX_PAUSE_S, 2 * pause_s)
        else:
            return True
    return False
