"""`ep bench classes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ep_core.cli.from_spec import spec_command
from ep_core.cli.terminal import Device, ModelsFile, out_console, progress_bars
from ep_core.pictures.photographs import load, pick
from ep_core.schemas.specs import MAX_TOP

from .options import Images, Layer, Photographs, Seed

if TYPE_CHECKING:
    from ep_core.bench.channels import ClassTable


@spec_command("bench classes")
def classes(
    photographs: Photographs,
    *,
    images: Images = 1000,
    count: Annotated[
        int, typer.Option("--classes", min=2, help="How many classes, those with the most photographs.")
    ] = 4,
    top: Annotated[int, typer.Option(min=1, max=MAX_TOP, help="How many of a class's channels are taken away.")] = 10,
    seed: Seed = 0,
    spec: Layer,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Take the top channels of each class away, and see which class they hurt."""
    from ep_core.bench.channels import class_table
    from ep_core.models import load_model

    paths = pick(photographs, count=images, seed=seed)
    classifier = load_model(spec.model, models_file=models_file, device=device)
    with progress_bars() as bars:
        task = bars.add_task("finding channels", total=1.0)
        found = class_table(
            classifier,
            [load(path) for path in paths],
            layer=spec.layer,
            classes=count,
            top=top,
            seed=seed,
            on_progress=lambda share: bars.update(task, completed=share),
        )
    _show(found, top)


def _show(found: ClassTable, top: int) -> None:
    out_console.print(f"Mean of score / Phi(x) without the top {top} channels of ...", highlight=False)
    table = Table("without those of", *found.labels, box=None, header_style="bold")
    for k, label in enumerate(found.labels):
        table.add_row(label, *(f"{value:+.3f}" for value in found.left[k]))
    table.add_row("random ones", *(f"{value:+.3f}" for value in found.random))
    table.add_row("photographs", *map(str, found.images))
    out_console.print(table)
    for label, chosen in zip(found.labels, found.top, strict=True):
        out_console.print(f"{label}: {', '.join(map(str, chosen))}", highlight=False, soft_wrap=True)
