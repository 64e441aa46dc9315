"""`ep bench ...`: the benchmarks as commands."""

from __future__ import annotations

import typer

from .channels import channels
from .classes import classes
from .company import company
from .dinov2 import dinov2
from .drop import drop
from .masks import masks
from .memory import memory
from .presets import presets
from .rex import rex
from .step import step
from .torchray import torchray

bench_app = typer.Typer(no_args_is_help=True, help="Measure how fast and how good the engine is here.")
for command in (step, masks, company, drop, memory, presets, channels, classes, torchray, rex, dinov2):
    bench_app.command()(command)
