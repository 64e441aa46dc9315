"""Disk and memory for what is posted, shared among callers: however many uploads one sends, others' find room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import Request

from service.access.caller import Caller
from service.access.shares import Shares, Take
from service.access.turns import turn_of

from .limits import UploadLimits

AT_ONCE = 2
"""Uploads of the largest size that are read to memory at a time; of one caller, half of them."""
INCOMING = 4
"""The same of uploads that come in, to files."""


class UploadShares:
    """Disk and memory of this process for uploads."""

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


@asynccontextmanager
async def open_shares(
    uploads: UploadShares, request: Request, caller: Caller, limits: UploadLimits
) -> AsyncIterator[Take]:
    """Give the same for a request, which lets others of its caller have its turn while it waits.

    Otherwise those that have the turns, and those that hold what they wait for, could wait for each other.
    """
    turn = turn_of(request)
    async with AsyncExitStack() as held:
        async with turn.resting():
            take = await held.enter_async_context(uploads.open(caller.who, limits.incoming_bytes(request)))

        async def take_resting(amount: int) -> None:
            async with turn.resting():
                await take(amount)

        yield take_resting
