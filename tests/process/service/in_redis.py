"""All data in Redis, to search for what shouldn't be there."""

from __future__ import annotations

from typing import Any

from redis import Redis


def contents(redis: Redis) -> dict[bytes, list[bytes]]:
    """Return the values by key, the fields of hashes too, in an order that stays."""
    read: dict[bytes, Any] = {
        b"string": lambda key: [redis.get(key)],
        b"hash": lambda key: sorted(part for field in redis.hgetall(key).items() for part in field),
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": lambda key: sorted(redis.smembers(key)),
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": lambda key: [part for _, entry in redis.xrange(key) for part in entry.values()],
        b"none": lambda _: [],  # gone meanwhile: locks last for moments
    }
    return {key: read[redis.type(key)](key) for key in redis.scan_iter()}


def keys_with(redis: Redis, text: str) -> list[bytes]:
    """Return the keys that a text is in, by their name or their values."""
    wanted = text.encode()
    return [key for key, values in contents(redis).items() if any(wanted in part for part in (key, *values))]
