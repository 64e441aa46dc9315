"""`make load`: jobs that share a device, a long queue, what the service adds to a job, how soon a deleted one stops."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import report
from .arrivals import measure_arrivals
from .cancel import measure_cancel
from .overhead import measure_overhead
from .polls import measure_polls

LIMIT_S = 1800.0


class Part(StrEnum):
    """Part that can be measured by itself."""

    ARRIVALS = "arrivals"
    POLLS = "polls"
    OVERHEAD = "overhead"
    CANCEL = "cancel"


def main(
    only: Annotated[list[Part] | None, typer.Option(help="Only this part; may be given several times.")] = None,
    arrivals: Annotated[int, typer.Option(help="Jobs in turn, as many at once, and as many as they come.")] = 16,
    queued: Annotated[int, typer.Option(help="Jobs in the queue while the API is polled.")] = 10_000,
    seconds: Annotated[float, typer.Option(help="Of polling as fast as it goes.")] = 10.0,
    jobs: Annotated[int, typer.Option(help="Jobs one at a time, for the overhead.")] = 30,
    deletes: Annotated[int, typer.Option(help="Running jobs to delete.")] = 20,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Measure latencies and rates of the service."""
    parts = only or list(Part)

    def body(result: report.Report, line: report.Line) -> None:
        if Part.ARRIVALS in parts:
            measure_arrivals(result, line, jobs=arrivals)
        if Part.POLLS in parts:
            measure_polls(result, line, jobs=queued, seconds=seconds)
        if Part.OVERHEAD in parts:
            measure_overhead(result, line, jobs=jobs)
        if Part.CANCEL in parts:
            measure_cancel(result, line, jobs=deletes)

    sys.exit(report.run("Load", body, limit_s=LIMIT_S, out=out))


if __name__ == "__main__":
    typer.run(main)
