"""Record of a batch: many images, a job for each. One JSON text in Redis; its jobs' states are in their records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, cast

from pydantic import BaseModel, Field
from redis import Redis

from worker.broker.contract import Problem
from worker.broker.scan import slices

UNFINISHED_S = (
    24 * 3600
)  # a batch whose making was cut off goes after that; the scripts that move its jobs set the rest


class BatchItem(BaseModel):
    """One posted image."""

    name: Annotated[str, Field(description="The name of its file, empty where unknown.")]
    job: Annotated[str | None, Field(description="The id of its job; null where it can't be used.")] = None
    error: Annotated[Problem | None, Field(description="The reason why it can't be used.")] = None


class BatchRecord(BaseModel):
    """A batch, as stored."""

    id: str
    created_at: datetime
    owner: str | None = None
    request: str | None = None
    items: list[BatchItem]

    @property
    def jobs(self) -> list[str]:
        """The ids of its jobs."""
        return [item.job for item in self.items if item.job is not None]


class BatchStore:
    """Batches under ``ep:batch:{id}``, kept until some time after the last of their jobs has ended."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def create(self, record: BatchRecord) -> None:
        """Store a batch, before its jobs."""
        self._redis.set(_key(record.id), record.model_dump_json(exclude_none=True), ex=UNFINISHED_S)

    def update(self, record: BatchRecord) -> None:
        """Store a batch anew; how long it is kept, stays."""
        self._redis.set(_key(record.id), record.model_dump_json(exclude_none=True), keepttl=True, xx=True)

    def get(self, batch_id: str) -> BatchRecord | None:
        """Return a batch, or None where there is none (any more)."""
        stored = cast("bytes | None", self._redis.get(_key(batch_id)))
        return None if stored is None else BatchRecord.model_validate_json(stored)

    def all(self) -> Iterator[BatchRecord]:
        """Yield all batches. It looks through all keys, in slices."""
        for keys in slices(self._redis, _key("*")):
            for stored in cast("list[bytes | None]", self._redis.mget(keys)):
                if stored is not None:
                    yield BatchRecord.model_validate_json(stored)

    def delete(self, batch_id: str) -> None:
        """Remove a batch; its jobs stay."""
        self._redis.delete(_key(batch_id))


def _key(batch_id: str) -> str:
    return f"ep:batch:{batch_id}"
