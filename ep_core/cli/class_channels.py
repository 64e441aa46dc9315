"""`ep class-channels`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ep_core.pictures.photographs import all_photographs
from ep_core.schemas.progress import Progress
from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.specs import ClassChannelsSpec

from .from_spec import spec_command
from .target_pictures import TargetImage, TargetMask
from .terminal import (
    AsJson,
    Device,
    ModelsFile,
    check_writable,
    deliver,
    progress_bars,
)

if TYPE_CHECKING:
    from ep_core.channels.class_channels import ClassExplanation


@spec_command("class-channels", stopped="what is done is kept, and the same command goes on from there")
def class_channels(
    images: Annotated[list[Path], typer.Argument(help="Photographs of one class, or folders of them.", exists=True)],
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for all results; what is in it already isn't done again.")
    ] = Path("class-channels"),
    target_image: TargetImage = None,
    target_mask: TargetMask = None,
    as_json: AsJson = False,
    spec: ClassChannelsSpec,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Find which channels of a layer a class needs, from several photographs of it (5.2)."""
    check_writable(out)
    picture = target_image or target_mask
    explanation = _explain(images, out, spec, picture, models_file=models_file, device=device)
    console = deliver(explanation, out, as_json=as_json)
    _summarise(explanation, out, console)


def _explain(
    images: list[Path],
    out: Path,
    spec: ClassChannelsSpec,
    picture: Path | None,
    *,
    models_file: Path | None,
    device: str | None,
) -> ClassExplanation:
    """Run the sweeps behind a progress bar on standard error."""
    paths = all_photographs(images)
    with progress_bars() as bars:
        task = bars.add_task(f"loading {spec.model}", total=None)
        from ep_core.channels.folder import explain_folder

        def on_progress(progress: Progress) -> None:
            doing = f"{len(paths)} images"
            bars.update(task, description=doing, completed=progress.iteration, total=progress.total)

        return explain_folder(
            paths,
            out,
            spec,
            models_file=models_file,
            device=device,
            on_progress=on_progress,
            target_picture=picture,
        )


def _summarise(explanation: ClassExplanation, out: Path, console: Console) -> None:
    table = Table("channel", "weight", "excited most by", box=None, header_style="bold")
    for one in explanation.channels:
        names = ", ".join(explanation.images[excited.image].name for excited in one.images[:3])
        table.add_row(str(one.channel), f"{one.weight:.2f}", names)
    found = sum(image.optimal_area is not None for image in explanation.images)
    console.print(
        f"{explanation.target.label!r} at {explanation.layer.name}, over {found} of {len(explanation.images)} images",
        highlight=False,
    )
    console.print(table)
    console.print(f"channels.png, the inversions and {RESULT} are in {out}/", highlight=False, soft_wrap=True)
