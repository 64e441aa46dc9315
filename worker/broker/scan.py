"""Scan of Redis's keys, a slice at a time, so that Redis answers others between. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis import Redis

AT_ONCE = 1000


def slices(redis: Redis, pattern: str) -> Iterator[list[bytes]]:
    """Yield the keys that fit a pattern, some at a time, each at least once; they may be removed meanwhile."""
    cursor = 0
    while True:
        found: Any = redis.scan(cursor, match=pattern, count=AT_ONCE)
        cursor, keys = found
        if keys:
            yield keys
        if not cursor:
            return
