"""`ep bench drop`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from ep_core.cli.from_spec import Fields, spec_command
from ep_core.cli.terminal import Device, out_console
from ep_core.schemas.specs import ExtremalSpec

AREAS = (0.05, 0.1, 0.2, 0.4)


@spec_command("bench drop")
def drop(
    *,
    lanes: Annotated[int, typer.Option(min=2, help="Masks in a batch, all of one area.")] = 6,
    rounds: Annotated[int, typer.Option(min=1, help="Timed rounds; the medians are shown.")] = 10,
    spec: Annotated[ExtremalSpec, Fields("areas", defaults={"areas": AREAS})],
    device: Device = None,
) -> None:
    """Compare a step that drops patches with one that blurs, by area, on a ViT-S/16 of random weights."""
    from ep_core.bench.drop import step_costs, vit_small
    from ep_core.models.runtime.device import pick_device

    place = pick_device(device)
    table = Table("area", "blur, seconds", "drop, seconds", "times faster", box=None, header_style="bold")
    for cost in step_costs(vit_small().to(place), spec.areas, lanes=lanes, rounds=rounds, device=place):
        table.add_row(f"{cost.area:g}", f"{cost.blur:.4f}", f"{cost.drop:.4f}", f"{cost.ratio:.1f}")
    out_console.print(f"ViT-S/16 at 224, medians of {rounds} interleaved rounds of {lanes} masks, {place}")
    out_console.print(table)
