"""`ep compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ep_core.pictures.photographs import load
from ep_core.schemas.reports.extremal import RESULT
from ep_core.schemas.specs import DEFAULT_AREAS, DEFAULT_METHODS, DEFAULT_MODEL, METHODS, CompareSpec

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
    write_result,
)
from .verdicts import extremality_verdict

if TYPE_CHECKING:
    from ep_core.compare.comparison import Comparison


def compare(
    image: Annotated[Path, typer.Argument(help="The photograph.", exists=True, dir_okay=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for all results; default: IMAGE-compared.")
    ] = None,
    methods: Annotated[
        str,
        typer.Option(
            "--methods", help=f"Separated by commas; all: {', '.join(METHODS)}.", show_default="all but igos_plus_plus"
        ),
    ] = ",".join(DEFAULT_METHODS),
    model: ModelName = DEFAULT_MODEL,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Class index or label; default: top class.")
    ] = None,
    areas: Annotated[str, typer.Option(help="Shares of the image, separated by commas.")] = ",".join(
        map(str, DEFAULT_AREAS)
    ),
    variant: Annotated[str, typer.Option(help="Of the extremal masks: preserve, delete or hybrid.")] = "preserve",
    perturbation: Annotated[str, typer.Option(help="blur or fade.")] = "blur",
    preset: Annotated[str, typer.Option(help="Of the extremal masks: fast, or paper (1600 iterations).")] = "fast",
    layer: Annotated[
        str | None,
        typer.Option("--layer", "-l", help="Read by Grad-CAM and excitation backprop; default: each one's own."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(help="Images of RISE (default 4000), LIME (1000), SmoothGrad (50), superpixel searches."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seeds whatever is drawn at random.")] = 0,
    fit: Fit = "crop",
    white_level: WhiteLevel = None,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """See a photograph's extremal masks beside what other methods say, each scored at the same areas."""
    with errors_in_words("compare"):
        spec = CompareSpec.model_validate(
            {
                "methods": listed(methods),
                "model": model,
                "target": class_of(target),
                "areas": listed(areas),
                "variant": variant,
                "perturbation": perturbation,
                "preset": preset,
                "layer": layer,
                "samples": samples,
                "seed": seed,
                "fit": fit,
                "white_level": white_level,
            }
        )
        folder = out or Path(f"{image.stem}-compared")
        check_writable(folder)
        comparison = _compare(image, spec, models_file=models_file, device=device)
        from ep_core.compare.render import render_comparison

        write_result(folder, render_comparison(comparison), comparison.report())
        _summarise(comparison, folder)


def _compare(path: Path, spec: CompareSpec, *, models_file: Path | None, device: str | None) -> Comparison:
    """Run the comparison behind a progress bar on standard error."""
    photograph = load(path, spec.white_level)
    frame = model_at_work(spec.model, f"comparing on {path.name}", models_file=models_file, device=device)
    with frame as (model, on_progress):
        from ep_core.compare.run import compare as run

        return run(model, photograph, spec, on_progress=on_progress)


def _summarise(comparison: Comparison, out: Path) -> None:
    label, scores = comparison.target.label, comparison.scores
    out_console.print(
        f"{label!r} scores {scores.original:.2f}, and {scores.perturbed:.2f} fully perturbed. "
        "With nothing but a method's top areas:",
        highlight=False,
    )
    columns = [f"{area:.1%}" for area in comparison.spec.areas]
    table = Table("method", *columns, "seconds", box=None, header_style="bold")
    for one in comparison.answers:
        title = f"{one.title} ({one.layer})" if one.layer else one.title
        table.add_row(title, *(f"{point.preserve:.2f}" for point in one.curve), f"{one.seconds:.1f}")
    out_console.print(table)
    for refusal in comparison.refusals:
        out_console.print(f"{refusal.method}: {refusal.reason}", highlight=False, soft_wrap=True)
    if comparison.extremality is not None:
        out_console.print(extremality_verdict(comparison.extremality), style="bold", highlight=False)
    out_console.print(
        f"comparison.png, curve.svg, maps, heat maps and {RESULT} are in {out}/", highlight=False, soft_wrap=True
    )
