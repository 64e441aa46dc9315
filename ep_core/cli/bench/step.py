"""`ep bench step`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from ep_core.cli.from_spec import spec_command
from ep_core.cli.terminal import Device, ModelsFile, out_console

from .options import Network, batches


@spec_command("bench step")
def step(
    *,
    lanes: Annotated[str, typer.Option(help="Masks in a batch, one or more numbers separated by commas.")] = "6",
    rounds: Annotated[int, typer.Option(min=1, help="Timed rounds; the medians are shown.")] = 10,
    spec: Network,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Compare an iteration with the bare network's forward and backward pass on the same batch."""
    from ep_core.bench.step import BARE, step_seconds
    from ep_core.models import load_model

    sizes = batches(lanes)
    classifier = load_model(spec.model, models_file=models_file, device=device)
    table = Table("lanes", "", "seconds", "per lane", "times the bare network", box=None, header_style="bold")
    for batch in sizes:
        seconds = step_seconds(classifier, lanes=batch, rounds=rounds)
        for name, value in seconds.items():
            figures = (f"{value:.4f}", f"{value / batch:.4f}", f"{value / seconds[BARE]:.2f}")
            table.add_row(str(batch), name, *figures)
    out_console.print(f"{spec.model}, medians of {rounds} interleaved rounds, {classifier.device}")
    out_console.print(table)
