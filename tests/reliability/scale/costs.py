"""Costs of a job in each part of the service: CPU seconds, commands and bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis

from tests.reliability.stack import Stack, cpu_s


@dataclass
class Part:
    """Costs of one of several that were measured together."""

    name: str
    count: float
    """Number of them, or seconds of it."""
    redis_s: float = 0.0
    """CPU seconds of Redis's main thread, each."""
    scripts_s: float = 0.0
    """Of these, in Lua scripts."""
    commands: float = 0.0
    api_s: float = 0.0
    """CPU seconds of the API with its decoding processes, each."""
    worker_s: float = 0.0
    memory: float = 0.0
    """Bytes that it left in Redis, each."""
    seconds: float = 0.0
    """Seconds, each."""

    def without(self, idle: Part) -> None:
        """Take off what the time it took costs anyway, without any work."""
        for name in ("redis_s", "scripts_s", "commands", "api_s", "worker_s"):
            setattr(self, name, max(0.0, getattr(self, name) - self.seconds * getattr(idle, name)))


@dataclass
class Costs:
    """Costs of all parts, by their names."""

    parts: dict[str, Part] = field(default_factory=dict)
    kept: dict[str, float] = field(default_factory=dict)
    """Bytes that Redis holds of a finished job, by the kind of key; `lists` are its places in them."""
    sweeps: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Seconds of a janitor's close look, and of these of Redis's, by the number of unfinished jobs."""
    events: int = 0
    """Bytes that Redis holds of the events of a job that has run for a while."""
    connections: int = 0
    """Connections to Redis that a worker has."""
    sent: int = 0
    """Bytes that are sent to Redis for a job, its files among them."""
    sent_beside_files: int = 0
    """The same without its files: most of them are previews."""


class Meter:
    """Meter of a stack with a fake worker.

    Args:
        stack: with one API.
        redis: a client of its Redis.
        worker: the process id of the worker.
    """

    def __init__(self, stack: Stack, redis: Redis, worker: Callable[[], int | None]) -> None:
        self._stack = stack
        self.redis = redis
        self._worker = worker

    @contextmanager
    def of(self, name: str, count: float) -> Iterator[Part]:
        """Measure what happens inside the ``with`` block; `count` may be set later."""
        part = Part(name, count)
        before = self._now()
        yield part
        after = self._now()
        each = [(b - a) / part.count for a, b in zip(before, after, strict=True)]
        part.redis_s, part.scripts_s, part.commands, part.api_s, part.worker_s, part.memory, part.seconds = each

    def _now(self) -> list[float]:
        info = self.redis.info("everything")
        scripts = sum(info.get(f"cmdstat_{name}", {"usec": 0})["usec"] for name in ("eval", "evalsha")) / 1e6
        worker = self._worker()
        return [
            main_thread_s(self.redis),
            scripts,
            info["total_commands_processed"],
            family_cpu_s(self._stack.apis[0].pid),
            0.0 if worker is None else family_cpu_s(worker),
            info["used_memory"],
            time.monotonic(),
        ]


def family_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and of those that it has started (Linux)."""
    children = (path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return cpu_s(pid) + sum(family_cpu_s(int(child)) for line in children for child in line)


def main_thread_s(redis: Redis) -> float:
    """Return the CPU seconds of Redis's main thread so far."""
    info = redis.info("cpu")
    return float(info["used_cpu_user_main_thread"] + info["used_cpu_sys_main_thread"])
