"""Measurements of each part by itself: posting, asking, following events, and what stays."""

from __future__ import annotations

import base64
import json
import selectors
import socket
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

from redis import Redis

from tests.reliability.lean_client import Plan, Timings, get, post_json, send
from tests.reliability.report import Line
from tests.reliability.stack import GRACE_S, READY_S, SAMPLES, Stack, wait_until
from worker.broker.contract import JobState
from worker.broker.events import event_key
from worker.broker.liveness import live_workers
from worker.broker.store import JobStore

from .costs import Costs, Meter, Part
from .fake_engine import fake_worker, seed_of
from .recorder import read_recorded
from .trace import Trace, record_client, trace

PHOTOGRAPH = SAMPLES / "goose.jpg"
REAL_S = 240.0  # for the one job that is computed
INSIDE = 0.8  # share of a running job's time that is measured
CONNECTIONS = 4
WATCHERS = 20


@dataclass(frozen=True)
class Workload:
    """Jobs that are measured."""

    model: str
    params: Mapping[str, Any]
    """More parameters of the computed job."""
    job_s: float
    """Seconds that a job runs, where it isn't to run for no time."""
    jobs: int
    """Number of each kind."""
    seconds: float
    """Of each rate."""

    def bodies(self, first: int, count: int, *, seconds: float = 0.0) -> list[dict[str, Any]]:
        """Return the JSON of posts whose jobs run for so long; `first` numbers them, all different."""
        image = base64.b64encode(PHOTOGRAPH.read_bytes()).decode()
        seeds = [seed_of(first + k, seconds=seconds) for k in range(count)]
        return [{"image": image, "params": {**self.params, "model": self.model, "seed": seed}} for seed in seeds]


def measure_parts(stack: Stack, redis: Redis, work: Workload, costs: Costs, line: Line) -> Trace:
    """Measure each part by itself; return the trace of a job."""
    store, recorded = JobStore(redis, retention_s=1), stack.folder / "recorded.json"
    with running_worker(stack, redis, recorded) as worker:
        line.show("one job is computed, and its commands are recorded")
        computed, followed = work.bodies(0, 1), work.bodies(1, 1, seconds=work.job_s)
        client = record_client(stack, [*computed, *followed], patience_s=REAL_S)
        post(stack, work.bodies(2, 1))  # warms the API's own process
        wait_idle(store)
        _measure_running(Meter(stack, redis, lambda: worker.pid), stack, store, work, costs, line)
        connected = redis.info("clients")["connected_clients"]
    costs.connections = connected - redis.info("clients")["connected_clients"]
    line.show("posting, while no worker takes jobs")
    with Meter(stack, redis, lambda: None).of("post", work.jobs) as part:
        post(stack, work.bodies(1000, work.jobs))
    costs.parts[part.name] = part
    made = trace(client, read_recorded(recorded))
    costs.sent, costs.sent_beside_files = made.bytes_sent, made.without_files().bytes_sent
    return made


def _measure_running(meter: Meter, stack: Stack, store: JobStore, work: Workload, costs: Costs, line: Line) -> None:
    """Measure what a worker takes part in."""
    line.show("nothing, then a running job, then followers of one")
    with meter.of("idle, a second", work.seconds / 3) as idle:
        time.sleep(work.seconds / 3)
    post(stack, work.bodies(3, 1, seconds=work.job_s))
    with meter.of("running, a second", INSIDE * work.job_s) as running:
        time.sleep(INSIDE * work.job_s)
    wait_idle(store)
    (job_id,) = post(stack, work.bodies(4, 1, seconds=work.job_s + 1))
    watching = measure_watching(meter, stack, job_id, seconds=INSIDE * work.job_s)
    costs.events = meter.redis.memory_usage(event_key(job_id), samples=0) or 0
    wait_idle(store)
    line.show("jobs that run for no time")
    with meter.of("whole job", work.jobs) as whole:
        job_ids = post(stack, work.bodies(10, work.jobs))
        wait_idle(store)
    costs.kept = kept_of(meter.redis, job_ids[-1])
    line.show("what clients ask")
    asked = measure_requests(meter, stack, job_ids[-1], seconds=work.seconds / 4)
    for part in (running, watching, whole):
        part.without(idle)
    costs.parts |= {part.name: part for part in (idle, running, watching, whole, *asked)}


@contextmanager
def running_worker(stack: Stack, redis: Redis, recorded: Path) -> Iterator[BaseProcess]:
    """Run a worker with a fake engine inside the ``with`` block; what it sent is in `recorded` afterwards."""
    log = stack.folder / "worker.log"
    worker = fake_worker(stack.env, log, recorded)
    worker.start()
    try:
        if not wait_until(lambda: live_workers(redis) > 0, within_s=READY_S):
            raise RuntimeError(f"the worker isn't ready: {log.read_text()[-2000:]}")
        yield worker
        worker.terminate()
        worker.join(GRACE_S)
    finally:
        worker.kill()


def post(stack: Stack, bodies: list[dict[str, Any]]) -> list[str]:
    """Post jobs one after the other; return their ids."""
    requests = [_with_key(post_json("/v1/jobs", json.dumps(body))) for body in bodies]
    timings = send(Plan(stack.ports[0], requests, 1, len(requests), 120.0))
    _require(timings, "202")
    return [json.loads(body)["id"] for body in timings.bodies]


def wait_idle(store: JobStore, *, within_s: float = 60.0) -> None:
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


def _with_key(request: str) -> str:
    return request.replace("\r\n\r\n", f"\r\nidempotency-key: {uuid.uuid4()}\r\n\r\n", 1)


def _require(timings: Timings, status: str) -> None:
    if set(timings.statuses) != {status}:
        raise RuntimeError(f"answers other than {status}: {timings.statuses} {timings.bodies[:1]}")
