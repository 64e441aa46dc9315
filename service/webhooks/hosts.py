"""Shares out the places at each receiver's host, so that a slow one holds up nobody else."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONE_HOST = 4
WAITING_AT_ONE_HOST = 12
BUSY_S = 0.5


class Hosts:
    """Places at the hosts of receivers, taken and waited for; for one event loop."""

    def __init__(self) -> None:
        self._there: Counter[str] = Counter()
        self._places: dict[str, asyncio.Semaphore] = {}
        self._held_s: dict[str, float] = {}

    def is_full(self, host: str) -> bool:
        """Return whether no more should wait for a place at `host`."""
        return self._there[host] >= AT_ONE_HOST + WAITING_AT_ONE_HOST

    def come_back_s(self, host: str) -> float:
        """Return in how many seconds to ask again at a full host: about when those there now are through, or later."""
        through_s = self._held_s.get(host, 0.0) * (AT_ONE_HOST + WAITING_AT_ONE_HOST) / AT_ONE_HOST
        return max(BUSY_S, through_s) * random.uniform(1, 3)  # noqa: S311

    @asynccontextmanager
    async def place(self, host: str) -> AsyncIterator[None]:
        """Wait for a place at `host`, and hold it inside."""
        places = self._places.setdefault(host, asyncio.Semaphore(AT_ONE_HOST))
        self._there[host] += 1
        try:
            async with places:
                started = time.monotonic()
                yield
                self._held_s[host] = time.monotonic() - started
        finally:
            self._there[host] -= 1
            if not self._there[host]:  # nobody is there: hosts that were called once aren't kept
                del self._there[host], self._places[host]
                self._held_s.pop(host, None)
