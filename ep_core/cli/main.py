"""The command `ep`: explain an image, list the models, measure. The floors above add theirs (`ep.commands`)."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ep_core.cli.evaluate.commands import evaluate_app
from ep_core.errors import InvalidInput
from ep_core.models.runtime.heap import keep_freed_memory
from ep_core.models.runtime.threads import spin_briefly
from ep_core.pictures.photographs import load
from ep_core.schemas.reports.extremal import RESULT
from ep_core.schemas.specs import DEFAULT_AREAS, DEFAULT_MODEL, ExtremalSpec

from .bench import bench_app
from .channels import channels, class_channels
from .compare import compare
from .model_checks import check_models
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
from .verdicts import Goal, alternatives_verdict, contrast_verdict, extremality_verdict, stability_verdict, verdict

if TYPE_CHECKING:
    from ep_core.extremal.explanation import Explanation

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Extremal perturbations: which parts of an image a classifier needs to see.",
)
app.add_typer(bench_app, name="bench")
app.add_typer(evaluate_app, name="evaluate")
app.command()(channels)
app.command()(compare)
app.command("class-channels")(class_channels)


@app.command()
def explain(
    image: Annotated[Path, typer.Argument(help="The photograph.", exists=True, dir_okay=False)],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for all results; default: IMAGE-explained."),
    ] = None,
    model: ModelName = DEFAULT_MODEL,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Class index or label; default: top class.")
    ] = None,
    areas: Annotated[str, typer.Option(help="Shares of the image, separated by commas.")] = ",".join(
        map(str, DEFAULT_AREAS)
    ),
    variant: Annotated[str, typer.Option(help="preserve, delete or hybrid.")] = "preserve",
    perturbation: Annotated[str, typer.Option(help="blur or fade.")] = "blur",
    preset: Annotated[str, typer.Option(help="fast, or paper (1600 iterations).")] = "fast",
    threshold: Annotated[
        float,
        typer.Option(help="tau: share of the score that the optimal area reaches; of a deletion, of the way down."),
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Seeds whatever is drawn at random.")] = 0,
    iterations: Annotated[int | None, typer.Option(help="Steps per area, at most; default: the preset's.")] = None,
    independent: Annotated[
        bool, typer.Option("--independent", help="Optimise every area from the whole image by itself (figure 5).")
    ] = False,
    check_extremality: Annotated[
        bool, typer.Option("--check/--no-check", help="Compare each mask with rivals of its area.")
    ] = True,
    alternatives: Annotated[
        int, typer.Option(help="Other regions of the same area that suffice, at most; 0: none are sought.")
    ] = 1,
    contrast: Annotated[
        bool,
        typer.Option("--contrast/--no-contrast", help="Find what speaks for the class and against its nearest rival."),
    ] = True,
    fit: Fit = "crop",
    white_level: WhiteLevel = None,
    sigma_max: Annotated[
        float | None, typer.Option(help="Strongest blur in pixels (default: 20 at 224), or fade, at most 1.")
    ] = None,
    pyramid_levels: Annotated[int, typer.Option(help="Levels of the perturbation, the image included.")] = 8,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Find the extremal masks of a photograph, without any server."""
    with errors_in_words("explain"):
        spec = ExtremalSpec.model_validate(
            {
                "model": model,
                "target": class_of(target),
                "areas": listed(areas),
                "variant": variant,
                "perturbation": perturbation,
                "preset": preset,
                "threshold": threshold,
                "seed": seed,
                "iterations": iterations,
                "independent": independent or None,
                "check_extremality": check_extremality,
                "alternatives": alternatives,
                "contrast": contrast,
                "fit": fit,
                "white_level": white_level,
                "sigma_max": sigma_max,
                "pyramid_levels": pyramid_levels,
            }
        )
        folder = out or Path(f"{image.stem}-explained")
        check_writable(folder)
        explanation = _explain(image, spec, models_file=models_file, device=device)
        _save(explanation, folder)
        _summarise(explanation, folder)


@app.command()
def models(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="The models to --check; default: all of the list.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Load each model and try its gradient, in a line each; exit code 1: one fails."),
    ] = False,
    models_file: ModelsFile = None,
    device: Device = None,
    fetch: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Fetch a torchvision model's weights and check their hash."),
    ] = None,
    layers: Annotated[
        str | None, typer.Option(metavar="NAME", help="List the layers of a model that have channels.")
    ] = None,
) -> None:
    """List what can be explained here."""
    with errors_in_words("models"):
        if check and (fetch or layers):
            raise InvalidInput("--check goes without --fetch and --layers: ask one thing at a time", field="check")
        if check:
            check_models(names, models_file=models_file, device=device)
            return
        if names:
            raise InvalidInput("names of models go with --check; --fetch and --layers take one each", field="names")
        if fetch is not None:
            from ep_core.models.sources.weights import fetch as fetch_weights

            out_console.print(f"{fetch}: {fetch_weights(fetch)}", highlight=False, soft_wrap=True)
            return
        if layers is not None:
            _list_layers(layers, models_file)
            return
        from ep_core.models import list_models

        table = Table("model", "input", "classes", "weights", box=None, header_style="bold")
        cards = list_models(models_file)
        for card in cards:
            height, width = card.input_size
            table.add_row(card.name, f"{height} x {width}", str(len(card.labels)), card.weights or card.source)
        out_console.print(table)
        for card in cards:
            for warning in card.warnings:
                out_console.print(
                    f"warning: {card.name}: {warning.detail}", highlight=False, markup=False, soft_wrap=True
                )


def _list_layers(name: str, models_file: Path | None) -> None:
    from ep_core.models import load_model

    table = Table("layer", "type", "channels", "map", "default for", box=None, header_style="bold")
    for layer in load_model(name, models_file=models_file).layers:
        size, uses = f"{layer.height} x {layer.width}", ", ".join(layer.default_for or ())
        table.add_row(layer.name, layer.type, str(layer.channels), size, uses)
    out_console.print(table)


def main() -> None:
    """Run `ep`, with the commands that installed floors add."""
    spin_briefly()
    keep_freed_memory()
    for entry in entry_points(group="ep.commands"):
        try:
            app.command(entry.name)(entry.load())
        except ImportError:
            continue  # its extra isn't installed
    app()


def _explain(path: Path, spec: ExtremalSpec, *, models_file: Path | None, device: str | None) -> Explanation:
    """Run the sweep behind a progress bar on standard error."""
    image = load(path, spec.white_level)
    frame = model_at_work(spec.model, f"explaining {path.name}", models_file=models_file, device=device)
    with frame as (model, on_progress):
        from ep_core.engine import explain as run_sweep

        return run_sweep(model, image, spec, on_progress=on_progress)


def _save(explanation: Explanation, out: Path) -> None:
    from ep_core.extremal.render import render_files

    write_result(out, render_files(explanation), explanation.report())


def _summarise(explanation: Explanation, out: Path) -> None:
    table = Table("area", "measured", "kept", "deleted", "probability", box=None, header_style="bold")
    for point in explanation.curve:
        best = "bold green" if point.area == explanation.optimal_area else ""
        numbers = (f"{point.measured_area:.3f}", f"{point.preserve:.2f}", f"{point.delete:.2f}")
        table.add_row(f"{point.area:g}", *numbers, f"{point.preserve_probability:.3f}", style=best)
    label, spec, scores = explanation.target.label, explanation.spec, explanation.scores
    out_console.print(
        f"{label!r} scores {scores.original:.2f}, and {scores.perturbed:.2f} fully perturbed", highlight=False
    )
    out_console.print(table)
    said = verdict(explanation.optimal_area, Goal(label, spec.variant, spec.threshold, scores))
    out_console.print(said, style="bold", highlight=False)
    for sentence in _sentences(explanation):
        out_console.print(sentence, highlight=False, markup=False)
    out_console.print(
        f"masks, overlays, saliency.png, curve.svg and {RESULT} are in {out}/", highlight=False, soft_wrap=True
    )


def _sentences(explanation: Explanation) -> list[str]:
    """Return what can be said beside the optimal area, each in a sentence."""
    said = []
    if explanation.stability is not None:
        said.append(stability_verdict(explanation.stability, explanation.optimal_area))
    if explanation.alternatives:
        said.append(alternatives_verdict([one.report for one in explanation.alternatives]))
    if explanation.contrast is not None:
        said.append(contrast_verdict(explanation.contrast.report, explanation.target.label))
    if explanation.extremality is not None:
        said.append(extremality_verdict(explanation.extremality))
    return said


if __name__ == "__main__":
    main()
