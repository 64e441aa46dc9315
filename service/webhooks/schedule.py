"""Schedule of the webhooks of jobs, in Redis, shared by all couriers.

One sorted set of job ids, scored by the unix time of the next attempt. Whoever finishes a job that has a webhook adds
it with the time of now. A courier that takes an id moves it into the future, and takes it out when it is settled: where
the courier dies, the id comes up again.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from worker.broker.contract import Delivery, as_field

LEASE_S = 90.0  # longer than a courier takes: for a place at the host, the attempt, and writing down what came of it

_NOW = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
"""

# KEYS: the set. ARGV: most ids, seconds of the lease.
_CLAIM = (
    _NOW
    + """
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], now + ARGV[2], id) end
return ids
"""
)

# KEYS: the set. ARGV: job id, seconds. An id that was taken out meanwhile stays out.
_LATER = (
    _NOW
    + """
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])
"""
)

# KEYS: the set, the job's record. ARGV: job id, the delivery, seconds to the next attempt ("" for none).
_SETTLE = (
    _NOW
    + """
local there = redis.call('EXISTS', KEYS[2])
if there == 1 then redis.call('HSET', KEYS[2], 'delivery', ARGV[2]) end
if there == 1 and ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[1], 'XX', now + ARGV[3], ARGV[1])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return there
"""
)

# KEYS: the set. Seconds as text: Lua's numbers come back without their fraction.
_NEXT_DUE = (
    _NOW
    + """
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return first[2] and tostring(first[2] - now)
"""
)


class Deliveries:
    """The webhooks still to be delivered, in ``{prefix}:deliveries``; safe to be used from several threads."""

    def __init__(self, redis: Redis, *, prefix: str = "ep") -> None:
        self._prefix = prefix
        self._key = f"{prefix}:deliveries"
        self._claim_script = redis.register_script(_CLAIM)
        self._later_script = redis.register_script(_LATER)
        self._settle_script = redis.register_script(_SETTLE)
        self._next_due_script = redis.register_script(_NEXT_DUE)
        self._redis = redis

    def claim(self, limit: int) -> list[str]:
        """Take up to `limit` jobs whose time has come, the longest due first; nobody else gets them for `LEASE_S`."""
        ids = cast("list[bytes]", self._claim_script(keys=[self._key], args=[limit, LEASE_S]))
        return [job_id.decode() for job_id in ids]

    def later(self, job_id: str, delay_s: float) -> None:
        """Put a claimed job back for `delay_s` seconds, as if nothing had been tried."""
        self._later_script(keys=[self._key], args=[job_id, delay_s])

    def settle(self, job_id: str, delivery: Delivery, *, delay_s: float | None = None) -> bool:
        """Write down what came of an attempt, and when the next one is due, if any.

        Returns False where the job is gone: then nothing is written, and nothing more comes.
        """
        args = [job_id, as_field(delivery.model_dump(mode="json")), "" if delay_s is None else delay_s]
        return bool(self._settle_script(keys=[self._key, f"{self._prefix}:job:{job_id}"], args=args))

    def done(self, job_id: str) -> None:
        """Take a job out: there is nothing (more) to deliver."""
        self._redis.zrem(self._key, job_id)

    def next_due_s(self) -> float | None:
        """Return in how many seconds the next attempt is due, below 0 where it is overdue; None where there is none."""
        seconds = cast("bytes | None", self._next_due_script(keys=[self._key]))
        return None if seconds is None else float(seconds)
