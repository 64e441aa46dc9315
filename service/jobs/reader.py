"""One reader of Redis for all watchers of jobs: a watcher holds no connection to Redis."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from redis import RedisError
from redis.asyncio import Redis

READ_S = 1.0  # a read waits so long for something to happen
MOST_READ = 100
MOST_WAITING = 100
"""Reads that a listener may be behind: it ends then, and continues after its last event when it returns."""
WAKE_S = 3600
WOKEN_AT_ONCE = 20

Entry = tuple[bytes, dict[bytes, bytes]]
"""Id and fields of an event."""

_log = structlog.get_logger(__name__)


class Listener:
    """Listener to a stream of events."""

    def __init__(self) -> None:
        self._reads: asyncio.Queue[Sequence[Entry] | None] = asyncio.Queue(MOST_WAITING)
        self.is_over = False
        """True once nothing comes any more, because Redis is away or the listener is too far behind."""

    async def next(self, wait_s: float) -> Sequence[Entry]:
        """Return the next entries, none where nothing has happened for so long or nothing comes any more."""
        try:
            found = await asyncio.wait_for(self._reads.get(), wait_s)
        except TimeoutError:
            return ()
        self.is_over = self.is_over or found is None
        return found or ()

    def give(self, entries: Sequence[Entry] | None) -> None:
        """Hand over entries; None where nothing comes any more."""
        try:
            self._reads.put_nowait(entries)
        except asyncio.QueueFull:
            self.is_over = True


class EventReader:
    """Reads the streams that have listeners, all of them in one command that waits.

    Args:
        redis: a client whose reads may wait for `READ_S`.
        quick: a client for commands that don't wait.
    """

    def __init__(self, redis: Redis, quick: Redis) -> None:
        self._redis = redis
        self._quick = quick
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._last: dict[str, str] = {}
        self._wake = f"ep:wake:{secrets.token_hex(8)}"  # an entry here ends the read that waits
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self, key: str, after: str) -> AsyncIterator[Listener]:
        """Listen to the entries of a stream that come after one, those that have come already included.

        Raises:
            RedisError: Redis is away.
        """
        listener = Listener()
        is_new = key not in self._last
        self._listeners[key].add(listener)
        try:
            if is_new:
                self._last[key] = after
            else:  # read up to another place already
                missed: Any = await self._quick.xrange(key, min=f"({after}")
                listener.give([entry for entry in missed if not _is_later(entry, self._last[key])])
            await self._awake(is_new=is_new)
            yield listener
        finally:
            self._listeners[key].discard(listener)
            if not self._listeners[key]:
                del self._listeners[key]
                self._last.pop(key, None)

    async def close(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._redis.aclose()

    async def _awake(self, *, is_new: bool) -> None:
        """Let the reader read a new stream, too."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read())
        elif is_new:
            with suppress(RedisError):  # it comes to the stream after `READ_S` all the same
                await self._quick.xadd(self._wake, {"": ""}, maxlen=1, approximate=False)
                await self._quick.expire(self._wake, WAKE_S)

    async def _read(self) -> None:
        woken = "$"
        while self._last:
            streams: Any = self._last | {self._wake: woken}
            try:
                found: Any = await self._redis.xread(streams, count=MOST_READ, block=int(READ_S * 1000))
            except RedisError as error:
                _log.warning("watchers end, Redis is away", error=str(error), watchers=len(self._listeners))
                self._end_all()
                return
            except Exception:
                _log.exception("the reader of events failed")
                self._end_all()
                raise
            for name, entries in found or ():
                key, last = name.decode(), entries[-1][0].decode()
                if key == self._wake:
                    woken = last
                else:
                    await self._give(key, entries, last)

    async def _give(self, key: str, entries: Sequence[Entry], last: str) -> None:
        if key not in self._last:  # nobody listens any more
            return
        self._last[key] = last
        for given, listener in enumerate(list(self._listeners.get(key, ())), start=1):
            listener.give(entries)
            if given % WOKEN_AT_ONCE == 0:  # others' requests come between
                await asyncio.sleep(0)

    def _end_all(self) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.give(None)


def _is_later(entry: Entry, event_id: str) -> bool:
    return place(entry[0].decode()) > place(event_id)


def place(event_id: str) -> tuple[int, int]:
    """Return the place of an event among others of its stream."""
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number)
