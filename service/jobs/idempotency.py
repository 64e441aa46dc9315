"""`Idempotency-Key`: a request that is sent again, because its answer got lost, makes no second job.

After draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from redis import Redis

from ep_core.spec import Spec
from service.errors import KeyReused
from worker.contract import JobRecord

from .images import PostedImage

KEY = r"^[\x21-\x7e]{1,255}$"
BEING_MADE_S = 2.0  # the job of a request that came at the same time has its record by then

# KEYS: the claim. ARGV: what is claimed, seconds that it holds, the claim that may be replaced (""): returns the one
# that stands in the way.
_CLAIM = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[3] then return held end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return false
"""


@dataclass(frozen=True)
class Request:
    """A request that may be sent again: its key, and what tells it from others."""

    key: str
    """The hash of the client's key."""
    fingerprint: str

    @classmethod
    def of(cls, key: str, images: Sequence[PostedImage], params: Spec) -> Request:
        """Return a request by its key, images and parameters; the images' file names don't count."""
        digest = hashlib.sha256(params.model_dump_json().encode())
        for image in images:
            digest.update(hashlib.sha256(image.data).digest())
        return cls(hashlib.sha256(key.encode()).hexdigest(), digest.hexdigest())


class Claims:
    """Which job each request has made, under ``ep:request:{hash of its key}``.

    Args:
        redis: where.
        hold_s: seconds that a claim is kept.
        find: returns a job's record, or None where there is none (any more).
    """

    def __init__(self, redis: Redis, *, hold_s: int, find: Callable[[str], JobRecord | None]) -> None:
        self._redis = redis
        self._hold_s = hold_s
        self._find = find
        self._script = redis.register_script(_CLAIM)

    def claim(self, request: Request, job_id: str) -> JobRecord | None:
        """Return the job that the request has made before; None where it is to make this one.

        Raises:
            KeyReused: another request had the key.
        """
        replaced = ""
        while held := self._claim(request, job_id, replaced):
            fingerprint, _, made = held.partition(" ")
            if fingerprint != request.fingerprint:
                raise KeyReused(KeyReused.example)
            record = self._await(made)
            if record is not None:
                return record
            replaced = held  # its job was removed, or has expired
        return None

    def release(self, key: str) -> None:
        """Forget a request."""
        self._redis.delete(_redis_key(key))

    def _claim(self, request: Request, job_id: str, replaced: str) -> str | None:
        claim = f"{request.fingerprint} {job_id}"
        args = (claim, self._hold_s, replaced)
        held = cast("bytes | None", self._script(keys=[_redis_key(request.key)], args=args))
        return held.decode() if held else None

    def _await(self, job_id: str) -> JobRecord | None:
        deadline = time.monotonic() + BEING_MADE_S
        while (record := self._find(job_id)) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return record


def _redis_key(key: str) -> str:
    return f"ep:request:{key}"
