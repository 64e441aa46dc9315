"""`ep compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ep_core.pictures.photographs import load
from ep_core.schemas.reports.file_names import PAGE, RESULT
from ep_core.schemas.specs import CompareSpec

from .destination import Destination, Html
from .from_spec import spec_command
from .target_pictures import TargetImage, TargetMask
from .terminal import (
    AsJson,
    Device,
    ModelsFile,
    Photograph,
    model_at_work,
)
from .verdicts import extremality_verdict

if TYPE_CHECKING:
    from ep_core.compare.comparison import Comparison


@spec_command("compare")
def compare(
    image: Photograph,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for all results; default: IMAGE-compared.")
    ] = None,
    html: Html = None,
    target_image: TargetImage = None,
    target_mask: TargetMask = None,
    as_json: AsJson = False,
    spec: CompareSpec,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """See a photograph's extremal masks beside what other methods say, each scored at the same areas."""
    destination = Destination.of(out, html, default=f"{image.stem}-compared")
    destination.check()
    picture = target_image or target_mask
    comparison = _compare(image, spec, picture, models_file=models_file, device=device)
    console = destination.deliver(comparison, as_json=as_json)
    _summarise(comparison, console)
    destination.say(f"comparison.png, curve.svg, maps, heat maps, {PAGE} and {RESULT}", console)


def _compare(
    path: Path, spec: CompareSpec, picture: Path | None, *, models_file: Path | None, device: str | None
) -> Comparison:
    """Run the comparison behind a progress bar on standard error."""
    photograph = load(path, spec.white_level)
    frame = model_at_work(spec.model, f"comparing on {path.name}", models_file=models_file, device=device)
    with frame as (model, on_progress):
        from ep_core.compare.run import compare as run

        return run(model, photograph, spec, on_progress=on_progress, target_picture=picture)


def _summarise(comparison: Comparison, console: Console) -> None:
    label, scores = comparison.target.label, comparison.scores
    console.print(
        f"{label!r} scores {scores.original:.2f}, and {scores.perturbed:.2f} fully perturbed. "
        "With nothing but a method's top areas:",
        highlight=False,
    )
    columns = [f"{area:.1%}" for area in comparison.spec.areas]
    table = Table("method", *columns, "seconds", box=None, header_style="bold")
    for one in comparison.answers:
        title = f"{one.title} ({one.layer})" if one.layer else one.title
        table.add_row(title, *(f"{point.preserve:.2f}" for point in one.curve), f"{one.seconds:.1f}")
    console.print(table)
    for refusal in comparison.refusals:
        console.print(f"{refusal.method}: {refusal.reason}", highlight=False, soft_wrap=True)
    if comparison.extremality is not None:
        console.print(extremality_verdict(comparison.extremality), style="bold", highlight=False)
