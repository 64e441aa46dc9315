"""`ep bench company`."""

from __future__ import annotations

from typing import Annotated

import typer

from ep_core.cli.from_spec import Fields, spec_command
from ep_core.cli.terminal import Device, ModelsFile, err_console, out_console
from ep_core.pictures.photographs import load, pick
from ep_core.schemas.specs import ExtremalSpec

from .options import Images, Photographs, Seed

SMALL_AREA = 0.2


@spec_command("bench company")
def company(
    photographs: Photographs,
    *,
    images: Images = 16,
    at_once: Annotated[int, typer.Option(min=2, help="Requests on their way at once.")] = 4,
    seed: Seed = 0,
    spec: Annotated[ExtremalSpec, Fields("areas", "model", "iterations")],
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Compare requests that share their batches with the same ones one after the other."""
    from ep_core.bench.company import company_times
    from ep_core.models import load_model

    model = load_model(spec.model, models_file=models_file, device=device)
    pictures = [load(path) for path in pick(photographs, count=images, seed=seed)]
    small = spec.model_copy(update={"areas": (SMALL_AREA,), "alternatives": 0, "contrast": False})
    tell = err_console.print
    found = company_times(model, pictures, spec, small, at_once=at_once, on_part=tell)
    for line in (
        f"{len(pictures)} requests, one after the other: {found.in_turn_s:.1f} s",
        f"{at_once} at once: {found.together_s:.1f} s, x{found.whole:.2f}",
        f"one area, behind {at_once - 1} others: {found.small_first_come_s:.1f} s",
        f"one area, beside them: {found.small_together_s:.1f} s, x{found.small:.2f}",
    ):
        out_console.print(line, highlight=False)
