"""`make scale`: ten thousand jobs a minute with fake engines: the cost of each part, rates that hold, and walls."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from tests.reliability import report
from tests.reliability.stack import Stack
from worker.settings import SharedSettings

from .costs import Costs
from .long_lists import measure_janitor, measure_lists
from .parts import Workload, measure_parts
from .rates import Sweeping, check_nothing_stays, measure_rates
from .replay import Rate
from .walls import MEMORY_GB, PER_MINUTE, RETENTION_S, SHORT_RETENTION_S, Wall, holds, machine_class, walls

RATES = (1250, 2500, 5000, 10_000, 12_500, 15_000, 20_000)
RATES_WITH_FILES = (625, 1250, 2500)
UNFINISHED = (1000, 10_000, 100_000)
SMALL: dict[str, Any] = {"iterations": 2, "areas": [0.1], "check_extremality": False}
LIMIT_S = 900.0


@dataclass(frozen=True)
class Options:
    """Options of the command line."""

    work: Workload
    rates: tuple[int, ...]
    rates_with_files: tuple[int, ...]
    unfinished: tuple[int, ...]
    retention_s: int


@dataclass(frozen=True)
class Measured:
    """All that was measured."""

    costs: Costs
    with_files: list[Rate]
    without: list[Rate]
    walls: list[Wall]


def measure(result: report.Report, line: report.Line, options: Options) -> None:
    """Measure the parts, then the rates, and compute the walls; nothing may stay of jobs whose retention is over."""
    costs, work, load = Costs(), options.work, os.getloadavg()[0]
    with ExitStack() as running:
        stack = running.enter_context(Stack(workers=0, EP_RETENTION_S=options.retention_s, EP_PRELOAD=work.model))
        redis = running.enter_context(stack.connect())
        settings = SharedSettings(redis_url=stack.redis.url, retention_s=options.retention_s)
        trace = measure_parts(stack, redis, work, costs, line)
        redis.flushall()
        used = redis.info("memory")["used_memory"]
        with Sweeping(settings):
            with_files = measure_rates(trace, settings, options.rates_with_files, line, seconds=work.seconds)
            redis.flushall()
            without = measure_rates(trace.without_files(), settings, options.rates, line, seconds=work.seconds)
            line.show("waiting for the retention to end")
            check_nothing_stays(
                result, redis, [*with_files, *without], retention_s=options.retention_s, used_before=used
            )
        redis.flushall()
        costs.kept["lists"] = measure_lists(redis, options.unfinished[-1] // 10)
        redis.flushall()
        measure_janitor(settings.model_copy(update={"retention_s": 1}), redis, options.unfinished, costs, line)
    found = Measured(costs, with_files, without, walls(costs, with_files, without, job_s=work.job_s))
    _tell(result, found)
    result.figures = {"load": round(load, 1)} | _figures(found, work)


def _tell(result: report.Report, found: Measured) -> None:
    for part in found.costs.parts.values():
        times = f"{1000 * part.redis_s:.3f}, {1000 * part.api_s:.2f}, {1000 * part.worker_s:.2f}"
        result.tell(f"{part.name}: CPU ms of Redis, API, worker", times)
    for kind, size in found.costs.kept.items():
        result.tell(f"bytes kept of a finished job: {kind}", round(size))
    for number, (took, of_redis) in found.costs.sweeps.items():
        result.tell(f"{number:,} unfinished: ms of a close look, of Redis", f"{1000 * took:.0f}, {1000 * of_redis:.0f}")
    for files, rates in (("in Redis", found.with_files), ("elsewhere", found.without)):
        for rate in rates:
            words = f"{100 * rate.redis_core:.0f} % of Redis's core, {1000 * rate.late_s:.0f} ms late"
            result.tell(
                f"{rate.per_minute:,.0f} a minute, {rate.workers:,} workers, files {files}",
                f"{words}, {'holds' if holds(rate) else 'does not hold'}",
            )
    for wall in found.walls:
        result.tell(f"jobs a minute at a wall: {wall.name}", round(wall.per_minute))


def _figures(found: Measured, work: Workload) -> dict[str, Any]:
    """Return what docs/scale.md is made of."""
    costs = found.costs
    return {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "machine": machine_class(),
        "reference": {
            "per_minute": PER_MINUTE,
            "memory_gb": MEMORY_GB,
            "retention_s": RETENTION_S,
            "short_retention_s": SHORT_RETENTION_S,
            "job_s": work.job_s,
            "model": work.model,
        },
        "parts": {name: asdict(part) for name, part in costs.parts.items()},
        "kept": costs.kept,
        "sent": costs.sent,
        "sent_beside_files": costs.sent_beside_files,
        "events": costs.events,
        "connections": costs.connections,
        "sweeps": {str(number): took for number, took in costs.sweeps.items()},
        "rates": [
            asdict(rate) | {"files": files, "held": holds(rate)}
            for files, rates in ((True, found.with_files), (False, found.without))
            for rate in rates
        ],
        "walls": [asdict(wall) for wall in found.walls],
    }


def main(
    model: Annotated[str, typer.Option(help="Of the one job that is computed.")] = "mobilenet_v2",
    job_s: Annotated[float, typer.Option(help="Seconds that a job runs.")] = 4.0,
    jobs: Annotated[int, typer.Option(help="Of each part that is measured by itself.")] = 40,
    seconds: Annotated[float, typer.Option(help="Of each rate.")] = 12.0,
    rate: Annotated[list[int] | None, typer.Option(help="Jobs a minute; may be given several times.")] = None,
    rate_with_files: Annotated[list[int] | None, typer.Option(help="The same with files in Redis.")] = None,
    unfinished: Annotated[list[int] | None, typer.Option(help="Waiting jobs that the janitor looks at.")] = None,
    retention: Annotated[int, typer.Option(help="Seconds that finished jobs are kept.")] = 30,
    small: Annotated[bool, typer.Option(help="Compute a job of few steps, with little beside its mask.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Simulate the service at high rates: fake engines, everything else its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    options = Options(
        Workload(model, SMALL if small else {}, job_s, jobs, seconds),
        tuple(rate or RATES),
        tuple(rate_with_files or RATES_WITH_FILES),
        tuple(unfinished or UNFINISHED),
        retention,
    )
    sys.exit(report.run("Scale", lambda found, line: measure(found, line, options), limit_s=LIMIT_S, out=out))


if __name__ == "__main__":
    typer.run(main)
