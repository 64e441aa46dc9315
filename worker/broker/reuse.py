"""Reuse of results: the same images, parameters, model and version have the same result. Imports no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

from redis import Redis

from ep_core.schemas.tasks import Spec, task_of
from ep_core.version import __version__

from .scan import slices

_DIGESTS = "ep:models:weights"  # digests by model, of all that its results depend on, as workers have loaded it last
_RESULTS = "ep:results"


def hash_content(digests: Sequence[bytes], params: Spec, *, names: Sequence[str], owner: str | None) -> str:
    """Return a hash of all that distinguishes a job from others, as far as a client knows it.

    Args:
        digests: of the posted files, SHA-256.
        params: the job's parameters.
        names: the files' names, which the results of several images show.
        owner: of the job; results are not shared between owners.
    """
    digest = hashlib.sha256(f"{owner or ''}\n{params.model_dump_json()}\n".encode())
    for one in digests:
        digest.update(one)
    if task_of(params).takes_several:
        digest.update(repr(list(names)).encode())
    return digest.hexdigest()


class KnownResults:
    """Jobs by the content of their result, under ``ep:results:{hash}``, for as long as results are kept."""

    def __init__(self, redis: Redis, *, retention_s: int) -> None:
        self._redis = redis
        self._retention_s = retention_s

    def tell_model(self, model: str, digest: str) -> None:
        """Set the digest of a model (`Classifier.digest`); requests with the same content find results of that only."""
        self._redis.hset(_DIGESTS, model, digest)

    def forget_models(self, models: Sequence[str]) -> None:
        """Find no results of these models until their digests are set again, as they may have changed."""
        if models:
            self._redis.hdel(_DIGESTS, *models)

    def add(self, content: str, *, model: str, job_id: str) -> None:
        """Remember that a job has the result of a content, by the model as it is now."""
        key = self._key(content, model)
        if key is not None:
            self._redis.set(key, job_id, ex=self._retention_s)

    def find(self, content: str, *, model: str) -> str | None:
        """Return the id of the job that had the same content; its result may be gone meanwhile. None without one."""
        key = self._key(content, model)
        found = cast("bytes | None", self._redis.get(key)) if key is not None else None
        return found.decode() if found else None

    def forget_gone(self) -> None:
        """Forget the results of jobs that are gone. It looks through all keys, in slices."""
        for keys in slices(self._redis, f"{_RESULTS}:*"):
            known = cast("list[bytes | None]", self._redis.mget(keys))
            with self._redis.pipeline(transaction=False) as pipeline:
                for job_id in known:
                    pipeline.exists(f"ep:job:{(job_id or b'').decode()}")
                gone = [key for key, there in zip(keys, pipeline.execute(), strict=True) if not there]
            if gone:
                self._redis.delete(*gone)

    def _key(self, content: str, model: str) -> str | None:
        digest = cast("bytes | None", self._redis.hget(_DIGESTS, model))
        if digest is None:
            return None
        known = f"{content}\n{digest.decode()}\n{__version__}"
        return f"{_RESULTS}:{hashlib.sha256(known.encode()).hexdigest()}"
