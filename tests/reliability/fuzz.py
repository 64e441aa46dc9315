"""`make fuzz`: no request and no file may break the API or get an answer that its OpenAPI document doesn't declare."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import report
from .fuzz_images import measure_hostile, measure_images
from .fuzz_schema import measure_schema
from .fuzz_sockets import measure_sockets
from .stack import Stack

# The default model's name, so that requests without any are cheap too.
MODELS = """
[models.mobilenet_v2]
entry_point = "tiny_models:Tiny"
labels = ["American black bear", "goose"]
preprocessing = { input_size = [32, 32], mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }
"""
SETTINGS = {
    "EP_PRELOAD": "mobilenet_v2",
    "EP_MAX_WAIT_S": 1,  # requests that wait are short
    "EP_JOB_TIMEOUT_S": 5,  # and so are jobs of ten thousand iterations
}
KEEP = Path("out/fuzz")
LEAVE_S = 600.0  # beyond the schema's time


class Part(StrEnum):
    """Part that can be run by itself."""

    SCHEMA = "schema"
    IMAGES = "images"
    HOSTILE = "hostile"
    SOCKETS = "sockets"


def main(
    only: Annotated[list[Part] | None, typer.Option(help="Only this part.")] = None,
    seconds: Annotated[int, typer.Option(help="Of schemathesis.")] = 240,
    images: Annotated[int, typer.Option(help="Broken image files.")] = 680,
    seed: Annotated[int, typer.Option(help="Draws requests and files.")] = 0,
    keep: Annotated[Path, typer.Option(help="Where files are kept that aren't answered as they should.")] = KEEP,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Send all kinds of requests, and broken and hostile images, to a live API."""
    parts = only or list(Part)

    def body(result: report.Report, line: report.Line) -> None:
        with Stack(models=MODELS, **SETTINGS) as stack:
            try:
                if Part.IMAGES in parts:
                    measure_images(result, line, stack, count=images, seed=seed, keep=keep)
                if Part.SCHEMA in parts:
                    measure_schema(result, line, stack, seconds=seconds, seed=seed)
                if Part.HOSTILE in parts:
                    measure_hostile(result, line, stack, keep=keep)
                if Part.SOCKETS in parts:
                    measure_sockets(result, line, stack)
            finally:
                _tell_logs(result, stack)

    sys.exit(report.run("Fuzzing", body, limit_s=seconds + LEAVE_S, out=out))


def _tell_logs(result: report.Report, stack: Stack) -> None:
    """Count answers of 5xx and errors in the logs of the API and the worker."""
    fives = stack.server_errors()
    errors = [line for line in stack.logs().splitlines() if re.search(r"\[(error|critical) *\]|^Traceback ", line)]
    result.equals("answers of 5xx, by the API's log", len(fives), 0)
    result.equals("errors in the logs", len(errors), 0)
    result.lines += fives[:10] + errors[:20]


if __name__ == "__main__":
    typer.run(main)
