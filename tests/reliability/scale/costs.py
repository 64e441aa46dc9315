"""Costs of a job in each part of the service: CPU seconds, commands and bytes, each part driven by itself."""

from __future__ import annotations

import base64
import json
import selectors
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from redis import Redis

from ep_core.schemas.specs import ExtremalSpec
from tests.reliability.lean_client import Plan, Timings, get, post_json, send
from tests.reliability.report import Line
from tests.reliability.stack import Stack, cpu_s, wait_until
from worker.broker.contract import JobRecord, JobState
from worker.broker.queue import enqueue
from worker.broker.store import JobStore
from worker.janitor import Janitor
from worker.settings import SharedSettings

from .fake_engine import seed_of

CONNECTIONS = 4
AT_ONCE = 500
WATCHERS = 20


@dataclass
class Part:
    """What something cost, of which there were several."""

    name: str
    count: float
    """How many there were, or seconds of it."""
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
    aof: float = 0.0
    """Bytes that Redis wrote to its file, each."""


@dataclass
class Costs:
    """Costs of all parts, by their names."""

    parts: dict[str, Part] = field(default_factory=dict)
    kept: dict[str, float] = field(default_factory=dict)
    """Bytes that Redis holds of a finished job, by the kind of key; `lists` are its places in them."""
    sweeps: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Seconds of a janitor's close look, and of these of Redis's, by the number of unfinished jobs."""
    sent: float = 0.0
    """Bytes that are sent to Redis for a job, its files among them."""


class Meter:
    """Meter of a stack with a fake worker.

    Args:
        stack: with one API.
        redis: a client of its Redis.
        worker: the process id of the worker.
    """

    def __init__(self, stack: Stack, redis: Redis, worker: Callable[[], int | None]) -> None:
        self._stack = stack
        self._redis = redis
        self._worker = worker

    @contextmanager
    def of(self, name: str, count: float) -> Iterator[Part]:
        """Measure what happens inside the ``with`` block; `count` may be set later."""
        part = Part(name, count)
        before = self._now()
        yield part
        after = self._now()
        each = [(b - a) / part.count for a, b in zip(before, after, strict=True)]
        part.redis_s, part.scripts_s, part.commands, part.api_s, part.worker_s, part.memory, part.aof = each

    def _now(self) -> list[float]:
        info = self._redis.info("everything")
        redis_s = info["used_cpu_user_main_thread"] + info["used_cpu_sys_main_thread"]
        scripts = sum(info.get(f"cmdstat_{name}", {"usec": 0})["usec"] for name in ("eval", "evalsha")) / 1e6
        worker = self._worker()
        return [
            redis_s,
            scripts,
            info["total_commands_processed"],
            family_cpu_s(self._stack.apis[0].pid),
            0.0 if worker is None else family_cpu_s(worker),
            info["used_memory"],
            info["aof_current_size"],
        ]


def family_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and of those that it has started (Linux)."""
    children = (path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return cpu_s(pid) + sum(family_cpu_s(int(child)) for line in children for child in line)


def body_of(image: bytes, model: str, job: int, *, seconds: float, **params: Any) -> dict[str, Any]:
    """Return the JSON of a post; the fake engine takes so many seconds."""
    params = {"model": model, "seed": seed_of(job, seconds=seconds)} | params
    return {"image": base64.b64encode(image).decode(), "params": params}


def post(stack: Stack, bodies: list[dict[str, Any]]) -> list[str]:
    """Post jobs one after the other; return their ids."""
    requests = [_with_key(post_json("/v1/jobs", json.dumps(body))) for body in bodies]
    timings = send(Plan(stack.ports[0], requests, 1, len(requests), 120.0))
    _require(timings, "202")
    return [json.loads(body)["id"] for body in timings.bodies]


def wait_idle(store: JobStore, *, within_s: float) -> None:
    """Wait until no job waits or runs."""

    def is_idle() -> bool:
        counts = store.counts()
        return counts[JobState.QUEUED] + counts[JobState.RUNNING] == 0

    if not wait_until(is_idle, within_s=within_s):
        raise RuntimeError(f"jobs are not done after {within_s:.0f} s: {store.counts()}")
    time.sleep(0.3)  # for the worker to settle the last one


def measure_requests(meter: Meter, stack: Stack, job_id: str, *, seconds: float) -> list[Part]:
    """Measure what clients ask about a finished job."""
    with stack.client() as client:
        links = client.get(f"/v1/jobs/{job_id}").raise_for_status().json()["links"]
    paths = {
        "poll": links["self"],
        "result": links["result"],
        "picture": links["saliency"],
        "list": "/v1/jobs?limit=50",
    }
    parts = []
    for name, path in paths.items():
        with meter.of(name, 1) as part:
            timings = send(Plan(stack.ports[0], [get(path)], CONNECTIONS, 10**9, seconds))
            _require(timings, "200")
            part.count = len(timings.ms)
        parts.append(part)
    return parts


def measure_watching(meter: Meter, stack: Stack, job_id: str, *, seconds: float) -> Part:
    """Measure a second of following a running job's events, by several clients at once."""
    request = f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
    with ExitStack() as opened, selectors.DefaultSelector() as ready:
        for _ in range(WATCHERS):
            watcher = opened.enter_context(socket.create_connection(("127.0.0.1", stack.ports[0])))
            watcher.sendall(request)
            ready.register(watcher, selectors.EVENT_READ)
        with meter.of("watching, a second", WATCHERS * seconds) as part:
            deadline = time.monotonic() + seconds
            while (left_s := deadline - time.monotonic()) > 0:
                for key, _ in ready.select(left_s):
                    cast("socket.socket", key.fileobj).recv(1 << 20)
    return part


def kept_of(redis: Redis, job_id: str) -> dict[str, float]:
    """Return the bytes of Redis that a finished job takes, by the kind of key, its places in lists left out."""
    content, request = (redis.hget(f"ep:job:{job_id}", name) for name in ("content", "request"))
    assert content is not None
    assert request is not None
    names = [f"ep:job:{job_id}", f"ep:events:{job_id}", f"ep:blobs:{job_id}", f"ep:request:{request.decode()}"]
    names.append(next(redis.scan_iter("ep:results:*")).decode())
    return {name.split(":")[1]: float(redis.memory_usage(name, samples=0) or 0) for name in names}


def measure_lists(redis: Redis, count: int) -> float:
    """Return the bytes of Redis that a finished job's places in lists take, and its keys themselves."""
    store = JobStore(redis, retention_s=600)
    before = redis.info("memory")["used_memory"]
    for start in range(0, count, AT_ONCE):
        with redis.pipeline(transaction=False) as pipeline:
            for _ in range(min(AT_ONCE, count - start)):
                store.create(_record(JobState.SUCCEEDED), pipeline=pipeline)
            pipeline.execute()
    whole = (redis.info("memory")["used_memory"] - before) / count
    job_id = store.page(limit=1)[0][0].id
    keys = [f"ep:job:{job_id}", f"ep:events:{job_id}"]
    return float(whole - sum(redis.memory_usage(key, samples=0) or 0 for key in keys))


def measure_janitor(stack: Stack, redis: Redis, numbers: tuple[int, ...], costs: Costs, line: Line) -> None:
    """Measure the janitor's close look at more and more waiting jobs, and what it takes to forget expired ones."""
    settings = SharedSettings(redis_url=stack.redis.url, retention_s=1)
    store, made = JobStore(redis, retention_s=1), 0
    for number in numbers:
        line.show("the janitor, by the number of waiting jobs", number, numbers[-1])
        _fill(redis, store, number - made)
        made = number
        janitor = Janitor(redis, settings)
        janitor.sweep()
        janitor._rests_until = 0.0
        janitor._next_close_look = 0.0
        redis.config_resetstat()
        before, began = _main_thread_s(redis), time.monotonic()
        janitor._look_closely()
        costs.sweeps[number] = (time.monotonic() - began, _main_thread_s(redis) - before)
    job_ids = [*store.queued()][: numbers[0]]
    for job_id in job_ids:
        store.finish(job_id, JobState.CANCELED)
    wait_until(lambda: not redis.exists(f"ep:job:{job_ids[-1]}"), within_s=5.0)
    time.sleep(1.0)
    part = Part("expired", len(job_ids))
    before, cpu = _main_thread_s(redis), time.process_time()
    forgotten = store.forget_expired()
    part.redis_s = (_main_thread_s(redis) - before) / max(1, forgotten)
    part.worker_s = (time.process_time() - cpu) / max(1, forgotten)
    costs.parts[part.name] = part


def _fill(redis: Redis, store: JobStore, count: int) -> None:
    """Add waiting jobs, without images."""
    for start in range(0, count, AT_ONCE):
        with redis.pipeline() as pipeline:
            pipeline.multi()
            for _ in range(min(AT_ONCE, count - start)):
                record = _record(JobState.QUEUED)
                store.create(record, pipeline=pipeline)
                enqueue(redis, record.id, timeout_s=100, pipeline=pipeline)
            pipeline.execute()


def _record(state: JobState) -> JobRecord:
    return JobRecord(id=uuid.uuid4().hex, state=state, params=ExtremalSpec(), created_at=datetime.now(UTC))


def _main_thread_s(redis: Redis) -> float:
    info = redis.info("cpu")
    return float(info["used_cpu_user_main_thread"] + info["used_cpu_sys_main_thread"])


def _with_key(request: str) -> str:
    return request.replace("\r\n\r\n", f"\r\nidempotency-key: {uuid.uuid4()}\r\n\r\n", 1)


def _require(timings: Timings, status: str) -> None:
    if set(timings.statuses) != {status}:
        raise RuntimeError(f"answers other than {status}: {timings.statuses} {timings.bodies[:1]}")
