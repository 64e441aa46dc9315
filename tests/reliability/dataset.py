"""`make dataset`: two Ray actors against one process, actors that are killed, and the cost beside the steps."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import report
from .dataset_cost import measure_cost

LIMIT_S = 7200.0


class Part(StrEnum):
    """Part that can be measured by itself."""

    COST = "cost"
    ACTORS = "actors"
    KILLS = "kills"


def main(
    only: Annotated[list[Part] | None, typer.Option(help="Only this part; may be given several times.")] = None,
    images: Annotated[int, typer.Option(help="Images of two actors against one process.")] = 500,
    kills: Annotated[int, typer.Option(help="How often an actor is killed.")] = 10,
    jobs: Annotated[int, typer.Option(help="Images of the cost beside the steps.")] = 60,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Measure runs over datasets (`ep dataset`), on a local Ray cluster of two nodes, too."""
    parts = only or list(Part)

    def body(result: report.Report, line: report.Line) -> None:
        if Part.COST in parts:
            measure_cost(result, line, images=jobs)
        if Part.ACTORS in parts or Part.KILLS in parts:
            from .dataset_cluster import measure_actors, measure_kills

            if Part.ACTORS in parts:
                measure_actors(result, line, images=images)
            if Part.KILLS in parts:
                measure_kills(result, line, kills=kills)

    sys.exit(report.run("Datasets", body, limit_s=LIMIT_S, out=out))


if __name__ == "__main__":
    typer.run(main)
