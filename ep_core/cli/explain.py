"""`ep explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ep_core.pictures.photographs import load
from ep_core.schemas.reports.file_names import PAGE, RESULT, REVEAL
from ep_core.schemas.specs import ExtremalSpec

from .destination import Destination, Html
from .from_spec import spec_command
from .target_pictures import TargetImage, TargetMask
from .terminal import (
    AsJson,
    Device,
    Images,
    ModelsFile,
    model_at_work,
)
from .verdicts import (
    Goal,
    alternatives_verdict,
    contrast_verdict,
    coverage_verdict,
    extremality_verdict,
    shown_probability,
    stability_verdict,
    verdict,
)

if TYPE_CHECKING:
    from ep_core.extremal.explanation import Explanation

SEVERAL = "explained"
"""Folder of the results of several images, unless another one is named."""


@spec_command("explain")
def explain(
    images: Images,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help=f"Folder for all results; default: IMAGE-explained, of several images {SEVERAL}."
        ),
    ] = None,
    html: Html = None,
    target_image: TargetImage = None,
    target_mask: TargetMask = None,
    as_json: AsJson = False,
    spec: ExtremalSpec,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Find the extremal masks of a photograph, or of many, without any server.

    The results of a single file are in the folder itself. Of several files, a folder
    or a pattern, each image has a folder of its own there, beside index.html (all of
    them on one page, or what --html names), results.csv and results.json.

    Several images: what is done is kept, and the same command goes on where it
    stopped. An image is done where its result is there, made of the same file with
    the same parameters and model weights; else it is done anew, beside the earlier
    result. What can't be explained is said and left out; the exit status is then 1.
    """
    image, picture = Path(images[0]), target_image or target_mask
    if len(images) > 1 or not image.is_file():
        from .several import explain_several

        explain_several(
            images,
            out or Path(SEVERAL),
            spec,
            page=html,
            target_picture=picture,
            models_file=models_file,
            device=device,
            as_json=as_json,
        )
        return
    destination = Destination.of(out, html, default=f"{image.stem}-explained")
    destination.check()
    explanation = _explain(image, spec, picture, models_file=models_file, device=device)
    console = destination.deliver(explanation, as_json=as_json)
    _summarise(explanation, console)
    destination.say(f"masks, overlays, saliency.png, curve.svg, {PAGE}, {REVEAL} and {RESULT}", console)


def _explain(
    path: Path, spec: ExtremalSpec, picture: Path | None, *, models_file: Path | None, device: str | None
) -> Explanation:
    """Run the sweep behind a progress bar on standard error."""
    image = load(path, spec.white_level)
    frame = model_at_work(spec.model, f"explaining {path.name}", models_file=models_file, device=device)
    with frame as (model, on_progress):
        from ep_core.engine import explain as run_sweep

        return run_sweep(model, image, spec, on_progress=on_progress, target_picture=picture)


def _summarise(explanation: Explanation, console: Console) -> None:
    table = Table("area", "measured", "kept", "deleted", "probability", box=None, header_style="bold")
    for point in explanation.curve:
        best = "bold green" if point.area == explanation.optimal_area else ""
        numbers = (f"{point.measured_area:.3f}", f"{point.preserve:.2f}", f"{point.delete:.2f}")
        table.add_row(f"{point.area:g}", *numbers, shown_probability(point.preserve_probability), style=best)
    label, spec, scores = explanation.target.label, explanation.spec, explanation.scores
    console.print(
        f"{label!r} scores {scores.original:.2f}, and {scores.perturbed:.2f} fully perturbed", highlight=False
    )
    console.print(table)
    goal = Goal(label, spec.variant, spec.threshold, scores)
    said = verdict(explanation.optimal_area, goal, explanation.coverage)
    console.print(said, style="bold", highlight=False)
    for sentence in _sentences(explanation):
        console.print(sentence, highlight=False, markup=False)


def _sentences(explanation: Explanation) -> list[str]:
    """Return what can be said beside the optimal area, each in a sentence."""
    said = [coverage_verdict(explanation.coverage)]
    if explanation.stability is not None:
        said.append(stability_verdict(explanation.stability, explanation.optimal_area))
    if explanation.alternatives:
        said.append(alternatives_verdict([one.report for one in explanation.alternatives]))
    if explanation.contrast is not None:
        said.append(contrast_verdict(explanation.contrast.report, explanation.target.label))
    if explanation.extremality is not None:
        said.append(extremality_verdict(explanation.extremality))
    return [sentence for sentence in said if sentence]
