"""`ep bench presets`."""

from __future__ import annotations

from statistics import fmean
from typing import Annotated

import typer
from rich.progress import track

from ep_core.cli.from_spec import spec_command
from ep_core.cli.terminal import Device, ModelsFile, err_console, out_console
from ep_core.pictures.photographs import load, pick

from .options import Images, Photographs, Seed, Sweep


@spec_command("bench presets")
def presets(
    photographs: Photographs,
    *,
    images: Images = 12,
    iterations: Annotated[int | None, typer.Option(min=1, help="Of the preset paper; default: its 1600.")] = None,
    seed: Seed = 0,
    spec: Sweep,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Compare the preset fast with the preset paper, at the areas that the latter's masks have."""
    from ep_core.bench.presets import compare_presets
    from ep_core.models import load_model

    paths = pick(photographs, count=images, seed=seed)
    classifier = load_model(spec.model, models_file=models_file, device=device)
    gains: list[float] = []
    for path in track(paths, console=err_console, description="comparing", transient=True):
        one = compare_presets(classifier, load(path), spec.areas, iterations=iterations)
        gains += one.gains
        pairs = zip(one.fast, one.gains, strict=True)
        row = "  ".join(f"{point.measured_area:.3f}: {gain:+.3f}" for point, gain in pairs)
        seconds = f"paper {one.paper_seconds:.0f} s, fast {one.fast_seconds:.1f} s"
        out_console.print(f"{path.name} {one.label}  {row}  {seconds}", highlight=False, soft_wrap=True)
    out_console.print(f"mean (score of fast - score of paper) / Phi(x) = {fmean(gains):+.3f}", style="bold")
