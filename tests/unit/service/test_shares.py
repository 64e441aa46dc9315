"""Fair shares: a caller who asks for much waits behind itself, not in front of others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from service.access import shares
from service.access.shares import Shares
from service.http.errors import TooManyAtOnce


class Bench:
    """Requests that hold an amount until they are ended, and the order in which they got it."""

    def __init__(self, limited: Shares) -> None:
        self.limited = limited
        self.got: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, *names: str, amount: int = 1) -> None:
        """Start requests, in this order; the first letter is the caller."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._hold(name, amount))
            await settle()

    async def end(self, *names: str) -> None:
        """Let requests end, one after the other."""
        for name in names:
            self._ends[name].set()
            await self._tasks[name]
            await settle()

    async def cancel(self, name: str) -> None:
        """Take a request back."""
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)
        await settle()

    async def _hold(self, name: str, amount: int) -> None:
        async with self.limited.hold(name[0], amount):
            self.got.append(name)
            await self._ends[name].wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(steps: Coroutine[Any, Any, None]) -> None:
    asyncio.run(steps)


def test_a_caller_never_holds_all_of_it() -> None:
    async def steps() -> None:
        bench = Bench(Shares(3, most_each=2))
        await bench.ask("a1", "a2", "a3", "a4", "b1")
        assert bench.got == ["a1", "a2", "b1"]
        await bench.end("a1", "a2", "a3", "a4", "b1")
        assert bench.got == ["a1", "a2", "b1", "a3", "a4"]

    run(steps())


def test_callers_who_wait_take_turns_however_often_they_ask() -> None:
    async def steps() -> None:
        bench = Bench(Shares(1, most_each=1))
        await bench.ask("a1", "a2", "a3", "a4", "b1", "b2", "c1")
        await bench.end("a1", "a2", "b1", "c1", "a3", "b2", "a4")
        assert bench.got == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]

    run(steps())


def test_much_is_not_overtaken_by_little() -> None:
    async def steps() -> None:
        bench = Bench(Shares(4, most_each=4))
        await bench.ask("a1", amount=3)
        await bench.ask("b1", amount=4)
        await bench.ask("c1", "d1")
        assert bench.got == ["a1"]  # there would be room for c1
        await bench.end("a1")
        assert bench.got == ["a1", "b1"]
        await bench.end("b1")
        assert bench.got == ["a1", "b1", "c1", "d1"]

    run(steps())


def test_who_asks_for_more_than_there_is_for_one_gets_that() -> None:
    async def steps() -> None:
        bench = Bench(Shares(4, most_each=2))
        await bench.ask("a1", amount=100)
        await bench.ask("b1", amount=2)
        await bench.ask("c1")
        assert bench.got == ["a1", "b1"]
        await bench.end("a1")
        assert bench.got == ["a1", "b1", "c1"]

    run(steps())


@pytest.mark.parametrize("gone", [["a2"], ["b1"], ["a2", "b1"], ["a1"], ["a1", "a2"]])
def test_requests_that_are_taken_back_leave_nothing(gone: Sequence[str]) -> None:
    async def steps() -> None:
        bench = Bench(Shares(1, most_each=1))
        names = ["a1", "a2", "b1", "c1"]
        await bench.ask(*names)
        for name in gone:
            await bench.cancel(name)
        left = [name for name in names if name not in gone]
        await bench.end(*left)
        assert [name for name in bench.got if name in left] == left
        await bench.ask("d1")
        assert bench.got[-1] == "d1"

    run(steps())


def test_one_taken_back_in_the_moment_of_its_turn_gives_it_to_the_next() -> None:
    async def steps() -> None:
        limited = Shares(1, most_each=1)
        bench = Bench(limited)
        await bench.ask("a1", "b1", "c1")
        bench._ends["a1"].set()
        await asyncio.sleep(0)  # a1 gives back, which hands out to b1, which doesn't run yet
        await bench.cancel("b1")
        assert bench.got[-1] == "c1"

    run(steps())


def test_no_more_requests_of_a_caller_wait_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "MOST_WAITING", 2)

    async def steps() -> None:
        bench = Bench(Shares(1, most_each=1))
        await bench.ask("a1", "a2", "a3", "b1")
        with pytest.raises(TooManyAtOnce, match="2 of your requests"):
            async with bench.limited.hold("a"):
                pass
        await bench.end("a1", "a2", "b1", "a3")
        assert bench.got == ["a1", "a2", "b1", "a3"]

    run(steps())


def test_what_is_known_later_is_held_to_the_end_of_the_block() -> None:
    async def steps() -> None:
        bench = Bench(Shares(2, most_each=2))
        async with bench.limited.hold_later("a") as take:
            await bench.ask("b1", amount=2)
            await bench.end("b1")
            await take(2)
            await bench.ask("c1")
            assert bench.got == ["b1"]
        await settle()
        assert bench.got == ["b1", "c1"]

    run(steps())
