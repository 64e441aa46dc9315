"""Subscription to a job's events as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from redis import RedisError
from redis.asyncio import Redis

from worker.broker.events import EventKind, event_key

from .reader import EventReader, place

LOOK_S = 1.0  # a watcher waits so long for something to happen, then looks whether it has to end

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Event:
    """Something that happened to a job."""

    id: str
    kind: EventKind
    data: str


class Watch:
    """The events of one job.

    Args:
        redis: a client.
        reader: that of this process.
        job_id: whose events.
        after: the id of the last known event; None for those that come from now on.
    """

    def __init__(self, redis: Redis, reader: EventReader, job_id: str, *, after: str | None) -> None:
        self._redis = redis
        self._reader = reader
        self._key = event_key(job_id)
        self._after = after

    async def begin(self) -> str:
        """Return the id of the event after which this watch yields all."""
        if self._after is None:
            self._after = await self._newest()
        return self._after

    async def is_over(self) -> bool:
        """Return whether nothing has happened after the last known event."""
        return place(await self.begin()) >= place(await self._newest())

    async def events(self, go_on: Callable[[], bool]) -> AsyncIterator[Event | None]:
        """Yield events as they come, and None after every `LOOK_S` without one; ends where Redis is away.

        Args:
            go_on: called before every wait.
        """
        last = await self.begin()
        try:
            async with self._reader.listening(self._key, last) as listener:
                while go_on() and not listener.is_over:
                    found = await listener.next(LOOK_S)
                    if not found:
                        yield None
                    for event_id, fields in found:
                        if place(event_id.decode()) > place(last):
                            last = event_id.decode()
                            yield Event(last, EventKind(fields[b"kind"].decode()), fields[b"data"].decode())
        except RedisError as error:
            _log.warning("a watch ends, Redis is away", error=str(error))

    async def _newest(self) -> str:
        newest: Any = await self._redis.xrevrange(self._key, count=1)
        return str(newest[0][0].decode()) if newest else "0-0"
