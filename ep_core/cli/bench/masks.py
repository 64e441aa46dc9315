"""`ep bench masks`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from ep_core.cli.terminal import Device, out_console

from .options import batches


def masks(
    *,
    lanes: Annotated[str, typer.Option(help="Masks in a batch, one or more numbers separated by commas.")] = "1,6,32",
    rounds: Annotated[int, typer.Option(min=1, help="Timed rounds; the medians are shown.")] = 10,
    device: Device = None,
) -> None:
    """Compare the two ways to sum the smooth masks' neighbours: by shifted lattices, and streamed."""
    from ep_core.bench.masks import SHIFTED, STREAMED, mask_seconds
    from ep_core.models.runtime.device import pick_device

    place = pick_device(device)
    table = Table("masks", f"ms {SHIFTED}", f"ms {STREAMED}", "times as fast", box=None, header_style="bold")
    for batch in batches(lanes):
        seconds = mask_seconds(masks=batch, rounds=rounds, device=place)
        both = (seconds[SHIFTED], seconds[STREAMED])
        table.add_row(str(batch), *(f"{1000 * one:.1f}" for one in both), f"{both[1] / both[0]:.1f}")
    out_console.print(f"smooth masks, forward and backward, medians of {rounds} interleaved rounds, {place}")
    out_console.print(table)
