"""`ep channels` and `ep class-channels`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ep_core.pictures.photographs import load
from ep_core.schemas.reports.extremal import RESULT
from ep_core.schemas.specs import DEFAULT_MODEL, ChannelsSpec, ClassChannelsSpec

from .terminal import (
    Device,
    Fit,
    ModelName,
    ModelsFile,
    WhiteLevel,
    check_writable,
    class_of,
    errors_in_words,
    listed,
    model_at_work,
    out_console,
    progress_bars,
    write_result,
)
from .verdicts import Goal, channels_verdict

if TYPE_CHECKING:
    from ep_core.channels.class_channels import ClassExplanation
    from ep_core.channels.explanation import ChannelExplanation

SHOWN = 10  # channels listed in the terminal

Layer = Annotated[
    str | None,
    typer.Option("--layer", "-l", help="`ep models --layers NAME` lists them; default: the last at 1/16 of the frame."),
]
Target = Annotated[str | None, typer.Option("--target", "-t", help="Class index or label; default: top class.")]
Counts = Annotated[str | None, typer.Option(help="Counts of channels, separated by commas; default: the paper's 21.")]
Variant = Annotated[str, typer.Option(help="preserve, delete or hybrid.")]
Preset = Annotated[str, typer.Option(help="fast, or paper (300 iterations of eq. 9).")]
Threshold = Annotated[
    float, typer.Option(help="tau: share of the score that the optimal count reaches; of a deletion, of the way down.")
]
Seed = Annotated[int, typer.Option(help="Draws where inversions start.")]
Iterations = Annotated[int | None, typer.Option(help="Steps per count; default: the preset's.")]


def channels(
    image: Annotated[Path, typer.Argument(help="The photograph.", exists=True, dir_okay=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for all results; default: IMAGE-channels.")
    ] = None,
    model: ModelName = DEFAULT_MODEL,
    layer: Layer = None,
    target: Target = None,
    areas: Counts = None,
    variant: Variant = "preserve",
    preset: Preset = "fast",
    threshold: Threshold = 1.0,
    invert: Annotated[bool, typer.Option("--invert", help="Invert the layer, full and masked (eq. 12).")] = False,
    seed: Seed = 0,
    iterations: Iterations = None,
    fit: Fit = "crop",
    white_level: WhiteLevel = None,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Find which channels of a layer keep a photograph's score (section 5)."""
    with errors_in_words("channels"):
        spec = ChannelsSpec.model_validate(
            {
                "model": model,
                "layer": layer,
                "target": class_of(target),
                "areas": _counts(areas),
                "variant": variant,
                "preset": preset,
                "threshold": threshold,
                "invert": invert,
                "seed": seed,
                "iterations": iterations,
                "fit": fit,
                "white_level": white_level,
            }
        )
        folder = out or Path(f"{image.stem}-channels")
        check_writable(folder)
        picture = load(image, spec.white_level)
        frame = model_at_work(spec.model, f"explaining {image.name}", models_file=models_file, device=device)
        with frame as (classifier, on_progress):
            from ep_core.channels.attribution import explain_channels
            from ep_core.channels.render import render_channels

            explanation = explain_channels(classifier, picture, spec, on_progress=on_progress)
        write_result(folder, render_channels(explanation), explanation.report())
        _summarise(explanation, folder)


def class_channels(
    images: Annotated[list[Path], typer.Argument(help="Photographs of one class, or folders of them.", exists=True)],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for all results; what is in it already isn't done again.")
    ] = Path("class-channels"),
    model: ModelName = DEFAULT_MODEL,
    layer: Layer = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Class index or label; default: the most probable over all.")
    ] = None,
    areas: Counts = None,
    variant: Variant = "preserve",
    preset: Preset = "fast",
    threshold: Threshold = 1.0,
    top: Annotated[int, typer.Option(help="How many channels are shown.")] = 5,
    invert: Annotated[bool, typer.Option("--invert/--no-invert", help="Invert each of them.")] = True,
    seed: Seed = 0,
    iterations: Iterations = None,
    fit: Fit = "crop",
    white_level: WhiteLevel = None,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Find which channels of a layer a class needs, from several photographs of it (5.2)."""
    with errors_in_words("class-channels", stopped="what is done is kept, and the same command goes on from there"):
        spec = ClassChannelsSpec.model_validate(
            {
                "model": model,
                "layer": layer,
                "target": class_of(target),
                "areas": _counts(areas),
                "variant": variant,
                "preset": preset,
                "threshold": threshold,
                "top": top,
                "invert": invert,
                "seed": seed,
                "iterations": iterations,
                "fit": fit,
                "white_level": white_level,
            }
        )
        check_writable(out)
        from ep_core.channels.folder import explain_folder
        from ep_core.channels.render import render_class
        from ep_core.pictures.photographs import all_photographs

        paths = all_photographs(images)
        with progress_bars() as bars:
            task = bars.add_task(f"loading {spec.model}", total=None)
            explanation = explain_folder(
                paths,
                out,
                spec,
                models_file=models_file,
                device=device,
                on_progress=lambda progress: bars.update(
                    task, description=f"{len(paths)} images", completed=progress.iteration, total=progress.total
                ),
            )
        write_result(out, render_class(explanation), explanation.report())
        _summarise_class(explanation, out)


def _counts(text: str | None) -> list[object] | None:
    """Return the counts of an option; what isn't a whole number is left for the spec to refuse."""
    return None if text is None else [int(part) if part.lstrip("-").isdigit() else part for part in listed(text)]


def _summarise(explanation: ChannelExplanation, out: Path) -> None:
    table = Table("channels", "measured", "kept", "deleted", "probability", box=None, header_style="bold")
    for point in explanation.curve:
        numbers = (f"{point.measured_area:.1f}", f"{point.preserve:.2f}", f"{point.delete:.2f}")
        style = "bold green" if point.area == explanation.optimal_area else ""
        table.add_row(str(point.area), *numbers, f"{point.preserve_probability:.3f}", style=style)
    label, layer, spec, scores = explanation.target.label, explanation.layer, explanation.spec, explanation.scores
    out_console.print(
        f"{label!r} scores {scores.original:.2f}, and {scores.perturbed:.2f} without {layer.name}", highlight=False
    )
    out_console.print(table)
    said = channels_verdict(explanation.optimal_area, layer, Goal(label, spec.variant, spec.threshold, scores))
    out_console.print(said, style="bold", highlight=False)
    shown = ", ".join(str(one.channel) for one in explanation.channels[:SHOWN])
    out_console.print(f"the first of them: {shown}", highlight=False)
    out_console.print(f"the heat map, the curve, the masks and {RESULT} are in {out}/", highlight=False, soft_wrap=True)


def _summarise_class(explanation: ClassExplanation, out: Path) -> None:
    table = Table("channel", "weight", "excited most by", box=None, header_style="bold")
    for one in explanation.channels:
        names = ", ".join(explanation.images[excited.image].name for excited in one.images[:3])
        table.add_row(str(one.channel), f"{one.weight:.2f}", names)
    found = sum(image.optimal_area is not None for image in explanation.images)
    out_console.print(
        f"{explanation.target.label!r} at {explanation.layer.name}, over {found} of {len(explanation.images)} images",
        highlight=False,
    )
    out_console.print(table)
    out_console.print(f"channels.png, the inversions and {RESULT} are in {out}/", highlight=False, soft_wrap=True)
