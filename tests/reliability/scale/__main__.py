"""`make scale`: ten thousand jobs a minute, with fake engines: the cost of each part, the rates that hold, the walls."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from redis import Redis

from tests.reliability import report
from tests.reliability.stack import SAMPLES, Stack, wait_until
from worker.broker.liveness import live_workers
from worker.broker.store import JobStore
from worker.janitor import run_janitor
from worker.settings import SharedSettings

from . import costs as measuring
from .costs import Costs, Meter, body_of
from .fake_engine import fake_worker
from .recorder import read_recorded
from .replay import Rate, replay
from .trace import ClientSide, Trace, record_client, trace
from .walls import REFERENCE, machine_class, walls

PHOTOGRAPH = SAMPLES / "goose.jpg"
RATES = (1250, 2500, 5000, 10_000, 20_000, 40_000, 80_000)
RATES_WITH_FILES = (1250, 2500, 5000)
LATE_S = 1.0
"""A rate holds where jobs end so much later than they could, at most, and as many end as come."""
HELD = 0.95
REAL_S = 240.0  # for the one job that is computed
TIDY_S = 10.0
LIMIT_S = 900.0


@dataclass(frozen=True)
class Options:
    """Options of the command line."""

    model: str
    job_s: float
    jobs: int
    seconds: float
    rates: tuple[int, ...]
    rates_with_files: tuple[int, ...]
    unfinished: tuple[int, ...]
    retention_s: int
    params: dict[str, Any]


def measure(result: report.Report, line: report.Line, options: Options) -> None:
    """Measure the parts, then the rates, and compute the walls; nothing may stay of jobs whose retention is over."""
    costs = Costs()
    with ExitStack() as running:
        stack = running.enter_context(
            Stack(workers=0, EP_RETENTION_S=options.retention_s, EP_PRELOAD=options.model, EP_FETCH_URLS=0)
        )
        redis = running.enter_context(stack.connect())
        recorded = _measure_parts(stack, redis, line, options, costs)
        rates = _measure_rates(stack, redis, line, options, recorded, result)
        redis.flushall()
        costs.kept["lists"] = measuring.measure_lists(redis, options.unfinished[-1] // 10)
        redis.flushall()
        measuring.measure_janitor(stack, redis, options.unfinished, costs, line)
    found = walls(costs, job_s=options.job_s)
    _tell(result, costs, rates)
    for wall in found:
        result.tell(wall.name, round(wall.per_minute))
    result.figures = {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "machine": machine_class(),
        "reference": REFERENCE | {"job_s": options.job_s},
        "parts": {name: asdict(part) for name, part in costs.parts.items()},
        "kept": costs.kept,
        "sent": costs.sent,
        "sweeps": {str(number): took for number, took in costs.sweeps.items()},
        "rates": [asdict(rate) | {"files": files, "held": _holds(rate)} for files, rate in rates],
        "walls": [asdict(wall) for wall in found],
    }


def _measure_parts(stack: Stack, redis: Redis, line: report.Line, options: Options, costs: Costs) -> Trace:
    """Measure each part by itself; return the trace of a job."""
    image, store = PHOTOGRAPH.read_bytes(), JobStore(redis, retention_s=options.retention_s)

    def bodies(first: int, count: int, seconds: float) -> list[dict[str, Any]]:
        return [body_of(image, options.model, first + k, seconds=seconds, **options.params) for k in range(count)]

    told = stack.folder / "recorded.json"
    with _worker(stack, redis, told) as worker:
        line.show("one job is computed")
        client = record_client(stack, [*bodies(0, 1, 0.0), *bodies(1, 1, options.job_s)], patience_s=REAL_S)
        wait_idle = measuring.wait_idle
        wait_idle(store, within_s=20)
        meter = Meter(stack, redis, lambda: worker.pid)
        line.show("running, a second")
        measuring.post(stack, bodies(2, 1, 0.0))  # warms the API's own process
        wait_idle(store, within_s=20)
        idle_s = options.seconds / 3
        with meter.of("idle, a second", idle_s) as idle:
            time.sleep(idle_s)
        measuring.post(stack, bodies(3, 1, options.job_s))
        with meter.of("running, a second", options.job_s * 0.8) as second:
            time.sleep(options.job_s * 0.8)
        wait_idle(store, within_s=20)
        line.show("following a job's events")
        (watched,) = measuring.post(stack, bodies(4, 1, options.job_s + 1))
        wait_until(lambda: watched in store.running(), within_s=10.0)
        watching = measuring.measure_watching(meter, stack, watched, seconds=options.job_s * 0.8)
        wait_idle(store, within_s=20)
        line.show("jobs of no length")
        with meter.of("whole job", options.jobs) as whole:
            job_ids = measuring.post(stack, bodies(10, options.jobs, 0.0))
            wait_idle(store, within_s=60)
        costs.kept = measuring.kept_of(redis, job_ids[-1])
        for part in measuring.measure_requests(meter, stack, job_ids[-1], seconds=options.seconds / 4):
            costs.parts[part.name] = part
    line.show("posting, while no worker takes jobs")
    with Meter(stack, redis, lambda: None).of("post", options.jobs) as posting:
        measuring.post(stack, bodies(10_000, options.jobs, 0.0))
    for part in (idle, second, watching, whole, posting):
        costs.parts[part.name] = part
    made = trace(client, read_recorded(told))
    costs.sent = float(sum(map(len, [*made.post, *(data for _, data in made.run)])))
    return made


@contextmanager
def _worker(stack: Stack, redis: Redis, recorded: Path) -> Iterator[BaseProcess]:
    """Run a worker with a fake engine; what it sent is written when it ends."""
    worker = fake_worker(stack.env, stack.folder / "worker.log", recorded)
    worker.start()
    try:
        if not wait_until(lambda: live_workers(redis) > 0, within_s=60.0):
            raise RuntimeError((stack.folder / "worker.log").read_text()[-2000:])
        yield worker
        worker.terminate()
        worker.join(20.0)
    finally:
        worker.kill()


def _measure_rates(
    stack: Stack, redis: Redis, line: report.Line, options: Options, recorded: Trace, result: report.Report
) -> list[tuple[bool, Rate]]:
    """Run the trace at more and more jobs a minute, until they don't hold; then wait until all of it has gone."""
    found: list[tuple[bool, Rate]] = []
    stop = threading.Event()
    settings = SharedSettings(redis_url=stack.redis.url, retention_s=options.retention_s)
    janitor = threading.Thread(target=run_janitor, args=(settings, stop), daemon=True)
    janitor.start()
    try:
        redis.flushall()
        for files, rates in ((True, options.rates_with_files), (False, options.rates)):
            taken = recorded if files else recorded.without_files()
            for per_minute in rates:
                line.show(f"{per_minute} jobs a minute{', with files' if files else ''}")
                workers = max(2, round(1.3 * per_minute / 60 * taken.run[-1][0]) + 2)
                rate = replay(taken, stack.redis.url, per_minute=per_minute, workers=workers, seconds=options.seconds)
                found.append((files, rate))
                if not _holds(rate):
                    break
            if files:
                redis.flushall()
        line.show("waiting for the retention to end")
        wait_until(lambda: not left(redis), within_s=options.retention_s + TIDY_S, every_s=0.5)
        result.equals("keys left of these jobs when their retention is over", len(left(redis)), 0)
        result.equals("errors of Redis in all of them", sum(sum(rate.errors.values()) for _, rate in found), 0)
        result.lines += [f"left: {key.decode()}" for key in left(redis)[:10]]
        result.lines += [f"{kind}: {count}" for _, rate in found for kind, count in rate.errors.items()]
    finally:
        stop.set()
        janitor.join(10.0)
    return found


def left(redis: Redis) -> list[bytes]:
    """Return the keys that are there, but for those of the service itself: counters, workers, the version."""
    own = (b"ep:stats", b"ep:workers", b"ep:state", b"ep:janitor", b"ep:models", b"ep:wake", b"rq:worker", b"rq:queues")
    return [key for key in redis.scan_iter(count=1000) if not key.startswith(own)]


def _holds(rate: Rate) -> bool:
    return rate.finished_per_minute >= HELD * rate.per_minute and rate.late_s <= LATE_S


def _tell(result: report.Report, costs: Costs, rates: list[tuple[bool, Rate]]) -> None:
    for part in costs.parts.values():
        times = f"{1000 * part.redis_s:.3f}, {1000 * part.api_s:.2f}, {1000 * part.worker_s:.2f}"
        result.tell(f"{part.name}: ms of Redis, API, worker", times)
    for kind, size in costs.kept.items():
        result.tell(f"bytes kept of a finished job: {kind}", round(size))
    for number, (took, of_redis) in costs.sweeps.items():
        result.tell(f"{number} unfinished: ms of a close look, of Redis", f"{1000 * took:.0f}, {1000 * of_redis:.0f}")
    for files, rate in rates:
        name = f"{rate.per_minute:,.0f} a minute, {rate.workers} workers, files {'in Redis' if files else 'elsewhere'}"
        words = f"{100 * rate.redis_core:.0f} % of Redis's core, {rate.late_s:.2f} s late"
        result.tell(name, f"{words}, {'holds' if _holds(rate) else 'does not hold'}")


def main(
    model: Annotated[str, typer.Option(help="Of the one job that is computed.")] = "mobilenet_v2",
    job_s: Annotated[float, typer.Option(help="Seconds that a job runs.")] = 4.0,
    jobs: Annotated[int, typer.Option(help="Of each part that is measured by itself.")] = 40,
    seconds: Annotated[float, typer.Option(help="Of each rate.")] = 12.0,
    rate: Annotated[list[int] | None, typer.Option(help="Jobs a minute; may be given several times.")] = None,
    rate_with_files: Annotated[list[int] | None, typer.Option(help="The same with files in Redis.")] = None,
    unfinished: Annotated[list[int] | None, typer.Option(help="Waiting jobs that the janitor looks at.")] = None,
    retention: Annotated[int, typer.Option(help="Seconds that finished jobs are kept.")] = 30,
    small: Annotated[
        bool, typer.Option(help="Compute a small job: a few steps, and nothing beside the masks.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Simulate the service at high rates: fake engines, everything else its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    params = {"iterations": 2, "areas": [0.1], "check_extremality": False} if small else {}
    options = Options(
        model,
        job_s,
        jobs,
        seconds,
        tuple(rate or RATES),
        tuple(rate_with_files or RATES_WITH_FILES),
        tuple(unfinished or (1000, 10_000, 100_000)),
        retention,
        params,
    )
    sys.exit(report.run("Scale", lambda found, line: measure(found, line, options), limit_s=LIMIT_S, out=out))


if __name__ == "__main__":
    typer.run(main)
