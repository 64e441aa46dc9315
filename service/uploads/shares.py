"""Disk and memory for what is posted, shared among callers: however many uploads one sends, others' find room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.shares import Shares, Take

AT_ONCE = 2
"""Uploads of the largest size that are read to memory at a time; of one caller, half of them."""
INCOMING = 4
"""The same of uploads that come in, to files."""


class UploadShares:
    """What this process has for uploads."""

    def __init__(self, largest: int) -> None:
        """Make all of it free; `largest` is the most bytes of a request."""
        self._disk = Shares(INCOMING * largest, most_each=INCOMING // 2 * largest)
        self._memory = Shares(AT_ONCE * largest, most_each=AT_ONCE // 2 * largest)

    @asynccontextmanager
    async def open(self, who: str, incoming: int) -> AsyncIterator[Take]:
        """Give a function that waits for memory; what it took is held, like the disk's, until the ``with`` block ends.

        Args:
            who: the caller.
            incoming: bytes that the body has, or may have.

        Raises:
            TooManyAtOnce: too many of the caller's uploads wait.
        """
        async with self._disk.hold(who, incoming), self._memory.hold_later(who) as take:
            yield take
