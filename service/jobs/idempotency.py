"""`Idempotency-Key`: a request that is sent again, because its response was lost, makes no second job.

After draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar, cast

from fastapi import Header
from redis import Redis

from service.http.errors import KeyReused
from service.uploads.upload import Upload

KEY = r"^[\x21-\x7e]{1,255}$"
IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=KEY,
        description="Any text that names this request, such as a UUID: up to 255 printable ASCII characters. Sent "
        "again with the same key, it makes nothing new: the answer is the first one, with `Idempotent-Replayed`.",
        examples=["8e03978e-40d5-43e6-bc93-6894a57f9324"],
    ),
]
FORM = "2:"
"""Begins fingerprints of what differs from the defaults; older ones, of all parameters, change with each new one."""
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
class IdempotentRequest:
    """Request that may be sent again: its key, and the fingerprint of its content."""

    key: str
    """The hash of the client's key."""
    fingerprint: str
    first_key: str | None = None
    """The hash that the first version made of it; None where the first version couldn't have such a request."""

    @classmethod
    def of(cls, key: str, upload: Upload, *, owner: str | None, kind: str = "job") -> IdempotentRequest:
        """Return a request by its key, images, parameters and options; the images' file names don't count."""
        asked = [part.model_dump_json(exclude_defaults=True) for part in (upload.params, upload.options)]
        digest = hashlib.sha256(f"{upload.params.task}\n{asked[0]}\n{asked[1]}\n".encode())
        for image in (*upload.images, *([upload.target_picture] if upload.target_picture else [])):
            digest.update(image.digest)
        first = hashlib.sha256(key.encode()).hexdigest() if owner is None and kind == "job" else None
        hashed = hashlib.sha256(f"{kind}\n{owner or ''}\n{key}".encode()).hexdigest()
        return cls(hashed, FORM + digest.hexdigest(), first)


T = TypeVar("T")


class Claims(Generic[T]):
    """Jobs or batches made by requests with an idempotency key, under ``ep:request:{hash of the key}``.

    Args:
        redis: where.
        hold_s: seconds that a claim is kept.
        find: returns what an id names, or None where there is none (any more).
    """

    def __init__(self, redis: Redis, *, hold_s: int, find: Callable[[str], T | None]) -> None:
        self._redis = redis
        self._hold_s = hold_s
        self._find = find
        self._script = redis.register_script(_CLAIM)

    def claim(self, request: IdempotentRequest, made: str) -> T | None:
        """Return what the request has made before; None where it is to make the job or batch of the id `made`.

        Raises:
            KeyReused: another request had the key.
        """
        earlier = self._of_first_version(request)
        if earlier is not None:
            return earlier
        replaced = ""
        while held := self._claim(request, made, replaced):
            fingerprint, _, earlier_id = held.partition(" ")
            if fingerprint != request.fingerprint and fingerprint.startswith(FORM):
                raise KeyReused(KeyReused.example)
            found = self._await(earlier_id)
            if found is not None:
                return found
            replaced = held  # what it made was removed, or has expired
        return None

    def _of_first_version(self, request: IdempotentRequest) -> T | None:
        held = cast("bytes | None", self._redis.get(_redis_key(request.first_key))) if request.first_key else None
        return self._find(held.decode().partition(" ")[2]) if held else None

    def _claim(self, request: IdempotentRequest, made: str, replaced: str) -> str | None:
        claim = f"{request.fingerprint} {made}"
        args = (claim, self._hold_s, replaced)
        held = cast("bytes | None", self._script(keys=[_redis_key(request.key)], args=args))
        return held.decode() if held else None

    def _await(self, made: str) -> T | None:
        deadline = time.monotonic() + BEING_MADE_S
        while (found := self._find(made)) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


def release(redis: Redis, *keys: str) -> None:
    """Forget requests, by the hashes of their keys."""
    if keys:
        redis.delete(*map(_redis_key, keys))


def _redis_key(key: str) -> str:
    return f"ep:request:{key}"
