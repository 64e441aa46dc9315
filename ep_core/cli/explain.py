"""`ep explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ep_core.pictures.photographs import load
from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.specs import ExtremalSpec

from .from_spec import spec_command
from .terminal import Device, ModelsFile, Photograph, check_writable, model_at_work, out_console, write_result
from .verdicts import Goal, alternatives_verdict, contrast_verdict, extremality_verdict, stability_verdict, verdict

if TYPE_CHECKING:
    from ep_core.extremal.explanation import Explanation


@spec_command("explain")
def explain(
    image: Photograph,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for all results; default: IMAGE-explained.")
    ] = None,
    spec: ExtremalSpec,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Find the extremal masks of a photograph, without any server."""
    folder = out or Path(f"{image.stem}-explained")
    check_writable(folder)
    explanation = _explain(image, spec, models_file=models_file, device=device)
    _save(explanation, folder)
    _summarise(explanation, folder)


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
