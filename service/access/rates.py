"""Rate limits over all API processes, counted in Redis by the library `limits`."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import lru_cache

import limits
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import Redis

_PREFIX = "ep:rate"


@dataclass(frozen=True)
class Allowance:
    """State of a caller's rate limit after a request."""

    granted: bool
    limit: int
    remaining: int
    reset_s: int
    """Seconds until more is allowed."""
    policy: str

    @property
    def headers(self) -> dict[str, str]:
        """The usual headers (draft-ietf-httpapi-ratelimit-headers-06)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
            "RateLimit-Policy": self.policy,
        }


class RateLimits:
    """Counts requests in sliding windows.

    Args:
        redis: where; its connections are used.
    """

    def __init__(self, redis: Redis) -> None:
        storage = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=_PREFIX)
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    def hit(self, rate: str, who: str) -> Allowance:
        """Count a request of `who`, unless it goes beyond one of the limits of `rate`.

        Returns how the tightest of them stands.
        """
        items = _items(rate)
        granted = all(self._limiter.test(item, who) for item in items)
        granted = granted and all(self._limiter.hit(item, who) for item in items)
        policy = ", ".join(f"{item.amount};w={item.get_expiry()}" for item in items)
        stats = [(self._limiter.get_window_stats(item, who), item) for item in items]
        window, tightest = min(stats, key=lambda one: (one[0].remaining, -one[0].reset_time))
        reset_s = max(1, math.ceil(window.reset_time - time.time()))
        return Allowance(granted, tightest.amount, max(0, window.remaining), reset_s, policy)


@lru_cache(maxsize=256)
def _items(rate: str) -> tuple[limits.RateLimitItem, ...]:
    return tuple(limits.parse_many(rate))
