"""Shares of something limited, handed out in turn: who asks often neither takes all of it nor goes before others."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TypeAlias

from service.http.errors import TooManyAtOnce

MOST_WAITING = 200
"""Requests of a caller that may wait for their turn."""

Take: TypeAlias = Callable[[int], Awaitable[None]]
"""Wait for an amount; to be called once, as who holds something and waits for more could wait for ever."""
_Waiting: TypeAlias = tuple[int, asyncio.Future[None]]


class Shares:
    """Something of which there is a fixed amount, and which is given back."""

    def __init__(self, total: int, *, most_each: int) -> None:
        """Make all of it free.

        Args:
            total: how much there is.
            most_each: how much of it one caller may hold at a time; who asks for more at once gets this.
        """
        self._total = total
        self._most_each = most_each
        self._held: defaultdict[str, int] = defaultdict(int)
        self._waiting: OrderedDict[str, deque[_Waiting]] = OrderedDict()

    @asynccontextmanager
    async def hold(self, who: str, amount: int = 1) -> AsyncIterator[None]:
        """Hold an amount inside the ``with`` block, once it is the caller's turn and there is so much.

        Raises:
            TooManyAtOnce: `MOST_WAITING` of the caller's requests wait already.
        """
        amount = min(amount, self._most_each)
        await self._take(who, amount)
        try:
            yield
        finally:
            self._give_back(who, amount)

    @asynccontextmanager
    async def hold_later(self, who: str) -> AsyncIterator[Take]:
        """Give a function that takes an amount, as soon as it is known; held until the ``with`` block ends."""
        async with AsyncExitStack() as held:

            async def take(amount: int) -> None:
                await held.enter_async_context(self.hold(who, amount))

            yield take

    async def _take(self, who: str, amount: int) -> None:
        queue = self._waiting.setdefault(who, deque())
        if len(queue) >= MOST_WAITING:
            raise TooManyAtOnce(MOST_WAITING)
        one = (amount, asyncio.get_running_loop().create_future())
        queue.append(one)
        self._hand_out()
        try:
            await one[1]
        except asyncio.CancelledError:
            if one[1].done() and not one[1].cancelled():  # it was handed out in the same moment
                self._give_back(who, amount)
            else:
                self._forget(who, one)
            raise

    def _hand_out(self) -> None:
        """Give to those who wait, one each in turn; whose turn it is, and has no room yet, is not overtaken."""
        while (found := self._next()) is not None:
            who, (amount, future) = found
            if sum(self._held.values()) + amount > self._total:
                return
            self._forget(who, (amount, future))
            self._held[who] += amount
            if who in self._waiting:
                self._waiting.move_to_end(who)
            future.set_result(None)

    def _next(self) -> tuple[str, _Waiting] | None:
        """Return whose turn it is among those who may hold more."""
        for who, queue in self._waiting.items():
            if self._held[who] + queue[0][0] <= self._most_each:
                return who, queue[0]
        return None

    def _give_back(self, who: str, amount: int) -> None:
        self._held[who] -= amount
        if not self._held[who]:
            del self._held[who]
        self._hand_out()

    def _forget(self, who: str, one: _Waiting) -> None:
        queue = self._waiting[who]
        with suppress(ValueError):
            queue.remove(one)
        if not queue:
            del self._waiting[who]
