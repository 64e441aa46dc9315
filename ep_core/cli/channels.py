"""`ep channels`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ep_core.pictures.photographs import load
from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.specs import ChannelsSpec

from .from_spec import spec_command
from .target_pictures import TargetImage, TargetMask
from .terminal import (
    AsJson,
    Device,
    ModelsFile,
    Photograph,
    check_writable,
    deliver,
    model_at_work,
)
from .verdicts import Goal, channels_verdict, shown_probability

if TYPE_CHECKING:
    from ep_core.channels.explanation import ChannelExplanation

SHOWN = 10  # channels listed in the terminal


@spec_command("channels")
def channels(
    image: Photograph,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for all results; default: IMAGE-channels.")
    ] = None,
    target_image: TargetImage = None,
    target_mask: TargetMask = None,
    as_json: AsJson = False,
    spec: ChannelsSpec,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Find which channels of a layer keep a photograph's score (section 5)."""
    folder = out or Path(f"{image.stem}-channels")
    check_writable(folder)
    picture = target_image or target_mask
    explanation = _explain(image, spec, picture, models_file=models_file, device=device)
    console = deliver(explanation, folder, as_json=as_json)
    _summarise(explanation, folder, console)


def _explain(
    path: Path, spec: ChannelsSpec, picture: Path | None, *, models_file: Path | None, device: str | None
) -> ChannelExplanation:
    """Run the sweep behind a progress bar on standard error."""
    photograph = load(path, spec.white_level)
    frame = model_at_work(spec.model, f"explaining {path.name}", models_file=models_file, device=device)
    with frame as (model, on_progress):
        from ep_core.channels.attribution import explain_channels

        return explain_channels(model, photograph, spec, on_progress=on_progress, target_picture=picture)


def _summarise(explanation: ChannelExplanation, out: Path, console: Console) -> None:
    table = Table("channels", "measured", "kept", "deleted", "probability", box=None, header_style="bold")
    for point in explanation.curve:
        numbers = (f"{point.measured_area:.1f}", f"{point.preserve:.2f}", f"{point.delete:.2f}")
        style = "bold green" if point.area == explanation.optimal_area else ""
        table.add_row(str(point.area), *numbers, shown_probability(point.preserve_probability), style=style)
    label, layer, spec, scores = explanation.target.label, explanation.layer, explanation.spec, explanation.scores
    console.print(
        f"{label!r} scores {scores.original:.2f}, and {scores.perturbed:.2f} without {layer.name}", highlight=False
    )
    console.print(table)
    said = channels_verdict(explanation.optimal_area, layer, Goal(label, spec.variant, spec.threshold, scores))
    console.print(said, style="bold", highlight=False)
    shown = ", ".join(str(one.channel) for one in explanation.channels[:SHOWN])
    console.print(f"the first of them: {shown}", highlight=False)
    console.print(f"the heat map, the curve, the masks and {RESULT} are in {out}/", highlight=False, soft_wrap=True)
