"""Simulated workers and clients: they send a job's trace to Redis for one job after the other, as many as are due.

`python -m tests.reliability.scale.replay PLAN` reads a JSON file (`Plan`) and prints one (`Rate`). Each worker and each
client has a connection of its own and waits for every answer, so that Redis reads and answers as often as it would.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import hiredis
import uvloop

from worker.broker.contract import QUEUES

from .recorder import commands_in
from .trace import Trace

CLIENTS = 64  # connections of the APIs
SETTLED = 0.4  # share of the time after which is measured
PATIENCE_S = 20.0
_QUEUES = list(QUEUES.values())
_INFO = b"*2\r\n$4\r\nINFO\r\n$10\r\neverything\r\n"

Then = Callable[[Any], None]


@dataclass(frozen=True)
class Plan:
    """Plan of a rate."""

    port: int
    password: str
    trace: dict[str, Any]
    """A `Trace`, its bytes as base64."""
    per_minute: float
    workers: int
    seconds: float
    poll_s: float
    beat_s: float


@dataclass(frozen=True)
class Rate:
    """Measurements at a rate, after it has settled."""

    per_minute: float
    """Jobs that were to be posted."""
    finished_per_minute: float
    workers: int
    redis_core: float
    """Share of a core that Redis's main thread took."""
    scripts_core: float
    """Of these, what its Lua scripts took."""
    commands_per_s: float
    client_core: float
    """Share of a core that the simulation took itself."""
    late_s: float
    """Seconds from a job's posting to its end, beyond those that it runs: the 95th percentile."""
    waiting: int
    """Jobs that waited in the end."""
    used_memory: int
    """Bytes."""
    aof_bytes_per_s: float
    errors: dict[str, int]
    jobs: int
    """Jobs that were run in all."""


def replay(
    trace: Trace, url: str, *, per_minute: float, workers: int, seconds: float, poll_s: float = 1.0, beat_s: float = 3.0
) -> Rate:
    """Send the trace at a rate, in a process of its own, and return what was measured.

    Args:
        trace: of a job.
        url: of Redis, as `EmbeddedRedis` has it.
        per_minute: jobs a minute.
        workers: that take them.
        seconds: for which jobs are posted.
        poll_s: between a client's polls of its job.
        beat_s: between a worker's heartbeats.
    """
    found = re.fullmatch(r"redis://:(\w+)@127\.0\.0\.1:(\d+)/0", url)
    assert found is not None
    plan = Plan(int(found[2]), found[1], _encoded(asdict(trace)), per_minute, workers, seconds, poll_s, beat_s)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(asdict(plan)))
        argv = [sys.executable, "-m", __name__, str(path)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 3 * PATIENCE_S, check=False)
        if done.returncode:
            raise RuntimeError(f"the simulation failed: {done.stderr.strip()[-2000:]}")
        return Rate(**json.loads(done.stdout))


class _Unit:
    """A unit with gaps for what is each job's own."""

    def __init__(self, data: bytes, own: Sequence[bytes]) -> None:
        self.answers = len(commands_in(data))
        places = {text: k for k, text in enumerate(own)}
        parts = re.split(b"(" + b"|".join(map(re.escape, own)) + b")", data)
        self._parts = [places.get(part, part) for part in parts]

    def of(self, own: Sequence[bytes]) -> bytes:
        return b"".join([own[part] if isinstance(part, int) else part for part in self._parts])


class _Link(asyncio.Protocol):
    """A connection; one unit at a time."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._reader = hiredis.Reader()
        self._left = 0
        self._then: Then = bool

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def ask(self, data: bytes, answers: int, then: Then) -> None:
        self._left, self._then = answers, then
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while self._left and (answer := self._reader.gets()) is not False:
            self._left -= 1
            self._run.note(answer)
            if self._left == 0:
                self._then(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self._run.errors["lost"] = self._run.errors.get("lost", 0) + 1


class _Worker:
    """A simulated worker."""

    def __init__(self, run: _Run, link: _Link, number: int) -> None:
        self._run = run
        self._link = link
        self._name = run.worker_name(number)
        self._own = run.own_of(run.trace.job_id.encode(), self._name)
        self._beat_at = time.monotonic() + random.uniform(0, run.plan.beat_s)  # noqa: S311
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

    def _send(self, unit: _Unit) -> None:
        self._link.ask(unit.of(self._own), unit.answers, self._next)

    def _beat(self, then: Callable[[], None]) -> None:
        self._beat_at = time.monotonic() + self._run.plan.beat_s
        _in_turn(self._link, self._run.beat, self._own, then)


class _Run:
    """State of a plan's run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.trace = Trace(**_decoded(plan.trace))
        self._texts = [text.encode() for text in self.trace.own]
        self.steps = [(at, self._unit(data)) for at, data in self.trace.run]
        self.job_s = self.trace.run[-1][0]
        self.beat, self._post, self._poll, self._fetch = (
            [self._unit(data) for data in part]
            for part in (self.trace.beat, self.trace.post, self.trace.poll, self.trace.fetch)
        )
        keys = [f"rq:queue:{name}".encode() for name in _QUEUES]
        words = [b"BLPOP", *keys, b"3"]
        self.blpop = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
        self.errors: dict[str, int] = {}
        self._free: deque[_Link] = deque()
        self._due: deque[tuple[list[_Unit], list[bytes], Callable[[], None]]] = deque()
        self._posted: dict[bytes, float] = {}
        self._late: list[tuple[float, float]] = []

    def note(self, answer: Any) -> None:
        """Count answers that are errors, those inside transactions, too."""
        for one in answer if isinstance(answer, list) else [answer]:
            if isinstance(one, hiredis.ReplyError):
                kind = str(one)[:80]
                self.errors[kind] = self.errors.get(kind, 0) + 1

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

    def _rate(self, before: _Info, after: _Info, passed: float, cpu: float, ended: list[float], waiting: int) -> Rate:
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

    def _unit(self, data: bytes) -> _Unit:
        return _Unit(data, self._texts)

    def _new_job(self) -> None:
        job_id = random.getrandbits(128).to_bytes(16, "big").hex().encode()  # noqa: S311
        self._posted[job_id] = time.monotonic()
        own = self.own_of(job_id, self.worker_name(0))
        self._ask(self._post, own, lambda: self._watch(job_id, own))

    def _watch(self, job_id: bytes, own: list[bytes]) -> None:
        asyncio.get_running_loop().call_later(self.plan.poll_s, self._look, job_id, own)

    def _look(self, job_id: bytes, own: list[bytes]) -> None:
        if job_id in self._posted:
            self._ask(self._poll, own, lambda: self._watch(job_id, own))

    def _ask(self, units: list[_Unit], own: list[bytes], then: Callable[[], None]) -> None:
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

        _in_turn(link, units, own, done)

    async def _link(self) -> _Link:
        _, link = await asyncio.get_running_loop().create_connection(lambda: _Link(self), "127.0.0.1", self.plan.port)
        password = self.plan.password.encode()
        await self._answer(link, b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%b\r\n" % (len(password), password))
        return link

    async def _answer(self, link: _Link, data: bytes) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        link.ask(data, 1, answer.set_result)
        return await answer

    async def _info(self, link: _Link) -> _Info:
        return _Info((await self._answer(link, _INFO)).decode())


class _Info:
    """What Redis says of itself."""

    def __init__(self, text: str) -> None:
        said = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        self.cpu_s = float(said["used_cpu_user_main_thread"]) + float(said["used_cpu_sys_main_thread"])
        self.commands = int(said["total_commands_processed"])
        self.used_memory = int(said["used_memory"])
        self.aof_bytes = int(said.get("aof_current_size", 0))
        spent = {name: int(said[name].split("usec=")[1].split(",")[0]) for name in said if name.startswith("cmdstat_")}
        self.scripts_s = sum(spent.get(name, 0) for name in ("cmdstat_eval", "cmdstat_evalsha")) / 1e6


def _in_turn(link: _Link, units: list[_Unit], own: list[bytes], then: Callable[[], None]) -> None:
    """Send units one after the other, each when the one before is answered."""
    left = iter(units)

    def step(_: Any = None) -> None:
        unit = next(left, None)
        if unit is None:
            then()
        else:
            link.ask(unit.of(own), unit.answers, step)

    step()


def _encoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: part if name == "job_id" else _encoded(part) for name, part in value.items()}
    return [_encoded(part) for part in value] if isinstance(value, list | tuple) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, str):
        return base64.b64decode(value)
    if isinstance(value, dict):
        return {name: part if name == "job_id" else _decoded(part) for name, part in value.items()}
    return [_decoded(part) for part in value] if isinstance(value, list) else value


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(_Run(Plan(**json.loads(Path(sys.argv[1]).read_text()))).go()))))
