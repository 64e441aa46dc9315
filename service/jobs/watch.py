"""Watching a job: its events as they come, one read for all that happened since the last one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from redis import RedisError
from redis.asyncio import Redis

from worker.events import EventKind, event_key

LOOK_S = 1.0  # a read waits so long for something to happen; between reads the watcher looks whether it has to end
MOST_READ = 100

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
        redis: a client whose reads may wait for `LOOK_S`.
        job_id: whose events.
        after: the id of the last known event; None for those that come from now on.
    """

    def __init__(self, redis: Redis, job_id: str, *, after: str | None) -> None:
        self._redis = redis
        self._key = event_key(job_id)
        self._after = after

    async def begin(self) -> str:
        """Return the id of the event after which this watch yields all."""
        if self._after is None:
            self._after = await self._newest()
        return self._after

    async def is_over(self) -> bool:
        """Return whether nothing has happened after the last known event."""
        return _place(await self.begin()) >= _place(await self._newest())

    async def events(self, go_on: Callable[[], bool]) -> AsyncIterator[Event | None]:
        """Yield events as they come, and None after every `LOOK_S` without one; ends where Redis is away.

        Args:
            go_on: asked before every read.
        """
        last = await self.begin()
        while go_on():
            try:
                found = await self._redis.xread({self._key: last}, count=MOST_READ, block=int(LOOK_S * 1000))
            except RedisError as error:
                _log.warning("a watch ends, Redis is away", error=str(error))
                return
            if not found:
                yield None
            for event_id, fields in _entries(found):
                last = event_id.decode()
                yield Event(last, EventKind(fields[b"kind"].decode()), fields[b"data"].decode())

    async def _newest(self) -> str:
        newest: Any = await self._redis.xrevrange(self._key, count=1)
        return str(newest[0][0].decode()) if newest else "0-0"


def _entries(found: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Return the entries of all (here: one) streams that were read."""
    return [entry for _, entries in found for entry in entries]


def _place(event_id: str) -> tuple[int, int]:
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number)
