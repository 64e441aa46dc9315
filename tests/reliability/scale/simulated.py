"""Simulated workers and clients.

`python -m tests.reliability.scale.simulated PLAN` reads a JSON file (`replay.Plan`) and prints one (`replay.Rate`).
Each worker and each client has connections of its own and waits for every answer, so that Redis reads and answers as
often as it would.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hiredis
import uvloop

from worker.broker.contract import QUEUES

from .links import Info, Link, Unit, in_turn
from .recorder import packed
from .replay import PATIENCE_S, Plan, Rate, decoded
from .trace import BESIDE_S, Trace

CLIENTS = 64  # connections of the APIs
SETTLED = 0.4  # share of the time after which is measured
_INFO = packed([b"INFO", b"everything"])


class _Worker:
    """A simulated worker."""

    def __init__(self, run: _Run, link: Link, number: int) -> None:
        self._run = run
        self._link = link
        self._name = run.worker_name(number)
        self._own = run.own_of(run.trace.job_id.encode(), self._name)
        self._beat_at = time.monotonic() + random.uniform(0, run.plan.beat_s)
        self._wait()

    def _wait(self) -> None:
        self._link.ask(self._run.blpop, 1, self._taken)

    def _taken(self, answer: list[bytes] | None) -> None:
        if answer is None:
            if time.monotonic() > self._beat_at:
                self._beat(self._wait)
            else:
                self._wait()
            return
        self._own = self._run.own_of(answer[1], self._name)
        self._job, self._began, self._k = answer[1], time.monotonic(), 0
        self._next()

    def _next(self, _: Any = None) -> None:
        if self._k == len(self._run.steps):
            self._run.ended(self._job)
            self._wait()
            return
        if time.monotonic() > self._beat_at:
            self._beat(self._next)
            return
        at, unit = self._run.steps[self._k]
        self._k += 1
        delay = self._began + at - time.monotonic()
        if delay > 0.001:
            asyncio.get_running_loop().call_later(delay, self._send, unit)
        else:
            self._send(unit)

    def _send(self, unit: Unit) -> None:
        self._link.ask(unit.of(self._own), unit.answers, self._next)

    def _beat(self, then: Callable[[], None]) -> None:
        self._beat_at = time.monotonic() + self._run.plan.beat_s
        in_turn(self._link, self._run.beat, self._own, then)


class _Beside:
    """Other threads of a simulated worker."""

    def __init__(self, run: _Run, link: Link, number: int) -> None:
        self._run = run
        self._link = link
        self._own = run.own_of(run.trace.job_id.encode(), run.worker_name(number))
        asyncio.get_running_loop().call_later(random.uniform(0, BESIDE_S), self._go)

    def _go(self) -> None:
        began = time.monotonic()

        def again() -> None:
            left_s = began + BESIDE_S - time.monotonic()
            asyncio.get_running_loop().call_later(max(0.0, left_s), self._go)

        in_turn(self._link, self._run.beside, self._own, again)


class _Run:
    """State of a plan's run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.trace = Trace(**decoded(plan.trace))
        self._texts = [text.encode() for text in self.trace.own]
        self.steps = [(at, self._unit(data)) for at, data in self.trace.run]
        self.job_s = self.trace.run[-1][0]
        told = self.trace
        self.beat, self.beside, self._post, self._poll, self._fetch = (
            [self._unit(data) for data in part] for part in (told.beat, told.beside, told.post, told.poll, told.fetch)
        )
        self.blpop = packed([b"BLPOP", *(f"rq:queue:{name}".encode() for name in QUEUES.values()), b"3"])
        self.errors: dict[str, int] = {}
        self._free: deque[Link] = deque()
        self._due: deque[tuple[list[Unit], list[bytes], Callable[[], None]]] = deque()
        self._posted: dict[bytes, float] = {}
        self._late: list[tuple[float, float]] = []

    def note(self, answer: Any) -> None:
        """Count answers that are errors, those inside transactions, too."""
        for one in answer if isinstance(answer, list) else [answer]:
            if isinstance(one, hiredis.ReplyError):
                kind = str(one)[:80]
                self.errors[kind] = self.errors.get(kind, 0) + 1

    def _lost(self) -> None:
        self.errors["lost"] = self.errors.get("lost", 0) + 1

    def worker_name(self, number: int) -> bytes:
        """Return another worker's name, as long as the recorded one's."""
        size = len(self._texts[-1])
        return b"w" + str(number).encode().rjust(size - 1, b"0") if self._texts[-1] != self._texts[0] else b""

    def own_of(self, job_id: bytes, worker: bytes) -> list[bytes]:
        """Return what is a job's own, in the order of `Trace.own`."""
        return [job_id if len(text) == 32 else 2 * job_id if len(text) == 64 else worker for text in self._texts]

    def ended(self, job_id: bytes) -> None:
        """Note that a job has ended; its client fetches the result."""
        now = time.monotonic()
        posted = self._posted.pop(job_id, None)
        if posted is None:
            return
        self._late.append((now, now - posted - self.job_s))
        self._ask(self._fetch, self.own_of(job_id, self.worker_name(0)), lambda: None)

    async def go(self) -> Rate:
        loop = asyncio.get_running_loop()
        control = await self._link()
        for _ in range(CLIENTS):
            self._free.append(await self._link())
        for number in range(self.plan.workers):
            _Worker(self, await self._link(), number)
            _Beside(self, await self._link(), number)
        began = time.monotonic()
        pause_s = 60 / self.plan.per_minute
        count = max(1, round(self.plan.seconds / pause_s))
        for k in range(count):
            loop.call_later(k * pause_s, self._new_job)
        await asyncio.sleep(SETTLED * self.plan.seconds)
        before, cpu, began = await self._info(control), time.process_time(), time.monotonic()
        await asyncio.sleep((1 - SETTLED) * self.plan.seconds)
        after, cpu, passed = await self._info(control), time.process_time() - cpu, time.monotonic() - began
        ended = [late for at, late in self._late if at >= began]
        waiting = len(self._posted) - min(self.plan.workers, round(self.plan.per_minute / 60 * self.job_s))
        deadline = time.monotonic() + PATIENCE_S
        while (self._posted or self._due) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        return self._rate(before, after, passed, cpu, ended, max(0, waiting))

    def _rate(self, before: Info, after: Info, passed: float, cpu: float, ended: list[float], waiting: int) -> Rate:
        return Rate(
            per_minute=self.plan.per_minute,
            finished_per_minute=60 * len(ended) / passed,
            workers=self.plan.workers,
            redis_core=(after.cpu_s - before.cpu_s) / passed,
            scripts_core=(after.scripts_s - before.scripts_s) / passed,
            commands_per_s=(after.commands - before.commands) / passed,
            client_core=cpu / passed,
            late_s=sorted(ended)[int(0.95 * len(ended))] if ended else PATIENCE_S,
            waiting=waiting,
            used_memory=after.used_memory,
            aof_bytes_per_s=max(0.0, after.aof_bytes - before.aof_bytes) / passed,
            errors=self.errors,
            jobs=len(self._late),
        )

    def _unit(self, data: bytes) -> Unit:
        return Unit(data, self._texts)

    def _new_job(self) -> None:
        job_id = random.getrandbits(128).to_bytes(16, "big").hex().encode()
        self._posted[job_id] = time.monotonic()
        own = self.own_of(job_id, self.worker_name(0))
        self._ask(self._post, own, lambda: self._watch(job_id, own))

    def _watch(self, job_id: bytes, own: list[bytes]) -> None:
        asyncio.get_running_loop().call_later(self.plan.poll_s, self._look, job_id, own)

    def _look(self, job_id: bytes, own: list[bytes]) -> None:
        if job_id in self._posted:
            self._ask(self._poll, own, lambda: self._watch(job_id, own))

    def _ask(self, units: list[Unit], own: list[bytes], then: Callable[[], None]) -> None:
        """Send units by the next free connection of a client."""
        if not self._free:
            self._due.append((units, own, then))
            return
        link = self._free.pop()

        def done() -> None:
            self._free.append(link)
            if self._due:
                self._ask(*self._due.popleft())
            then()

        in_turn(link, units, own, done)

    async def _link(self) -> Link:
        _, link = await asyncio.get_running_loop().create_connection(
            lambda: Link(self.note, self._lost), "127.0.0.1", self.plan.port
        )
        await self._answer(link, packed([b"AUTH", self.plan.password.encode()]))
        return link

    async def _answer(self, link: Link, data: bytes) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        link.ask(data, 1, answer.set_result)
        return await answer

    async def _info(self, link: Link) -> Info:
        return Info((await self._answer(link, _INFO)).decode())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(_Run(Plan(**json.loads(Path(sys.argv[1]).read_text()))).go()))))
