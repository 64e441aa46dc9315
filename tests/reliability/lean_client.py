"""A client that costs little, in a process of its own: many requests over a few connections kept alive, each timed.

`python -m tests.reliability.lean_client PLAN` reads a JSON file (`Plan`) and prints one (`Timings`).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import uvloop

PATIENCE_S = 30.0  # with the last answers

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length: "


@dataclass(frozen=True)
class Plan:
    """Plan of requests: `requests` in turn (or drawn with `seed`), until `count` are answered or `seconds` are over."""

    port: int
    requests: list[str]
    """Whole requests, head and body, as latin-1 text."""
    connections: int
    count: int
    seconds: float
    seed: int | None = None


@dataclass(frozen=True)
class Timings:
    """Measurements of a plan's run."""

    seconds: float
    cpu_s: float
    """Of this client, to show that it wasn't the bottleneck."""
    statuses: dict[str, int]
    ms: list[float]
    """Of each answer, from the request's first byte to the answer's last."""
    bodies: list[str]
    """Of the answers, where the plan has few requests; for the ids of posted jobs."""

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.ms) / self.seconds

    def quantile(self, share: float) -> float:
        """Return the milliseconds within which that share of the answers came."""
        ordered = sorted(self.ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def send(plan: Plan, *, grace_s: float = 60.0) -> Timings:
    """Carry out a plan in a process of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(asdict(plan)))
        argv = [sys.executable, "-m", __name__, str(path)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=plan.seconds + grace_s, check=False)
        if done.returncode:
            raise RuntimeError(f"the client failed: {done.stderr.strip()[-2000:]}")
        return Timings(**json.loads(done.stdout))


def get(path: str) -> str:
    """Return the text of a GET."""
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"


def post_json(path: str, body: str) -> str:
    """Return the text of a POST of JSON."""
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}"


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the one before is answered."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(_END_OF_HEAD)
        if head_end < 0:
            return
        start = self._received.lower().find(_LENGTH, 0, head_end)
        length = int(self._received[start + len(_LENGTH) : self._received.find(b"\r\n", start + 2)])
        if len(self._received) < head_end + len(_END_OF_HEAD) + length:
            return
        self._run.note(self._received, head_end, time.perf_counter() - self._sent)
        self._received = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._run.statuses["lost"] += 1
            self.done.set_result(None)

    def _send(self) -> None:
        request = self._run.next()
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


class _Run:
    """State that the connections of a plan share."""

    def __init__(self, plan: Plan) -> None:
        self._requests = _order([text.encode("latin-1") for text in plan.requests], plan.seed)
        self._left = plan.count
        self._deadline = time.perf_counter() + plan.seconds
        self._keeps_bodies = plan.count <= 1000
        self.statuses: Counter[str] = Counter()
        self.ms: list[float] = []
        self.bodies: list[str] = []

    def next(self) -> bytes | None:
        if self._left <= 0 or time.perf_counter() > self._deadline:
            return None
        self._left -= 1
        return next(self._requests)

    def note(self, answer: bytes, head_end: int, seconds: float) -> None:
        self.statuses[answer[9:12].decode()] += 1
        self.ms.append(1000 * seconds)
        if self._keeps_bodies:
            self.bodies.append(answer[head_end + len(_END_OF_HEAD) :].decode())


def _order(requests: list[bytes], seed: int | None) -> Iterator[bytes]:
    if seed is None:
        return itertools.cycle(requests)
    chance = random.Random(seed)
    return iter(lambda: chance.choice(requests), None)


async def _carry_out(plan: Plan) -> Timings:
    run, loop = _Run(plan), asyncio.get_running_loop()
    started, cpu = time.perf_counter(), time.process_time()
    ends: list[asyncio.Future[None]] = []
    for _ in range(plan.connections):
        _, connection = await loop.create_connection(lambda: _Connection(run), "127.0.0.1", plan.port)
        ends.append(connection.done)
    await asyncio.wait_for(asyncio.gather(*ends), plan.seconds + PATIENCE_S)
    return Timings(
        seconds=time.perf_counter() - started,
        cpu_s=time.process_time() - cpu,
        statuses=dict(run.statuses),
        ms=run.ms,
        bodies=run.bodies,
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(_carry_out(Plan(**json.loads(Path(sys.argv[1]).read_text())))))))
