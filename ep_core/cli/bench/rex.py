"""`ep bench rex`: the engine beside ReX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from ep_core.cli.from_spec import spec_command
from ep_core.cli.terminal import ModelsFile, err_console, out_console
from ep_core.pictures.photographs import load, pick

from .options import Images, Photographs, Seed, Sweep


@spec_command("bench rex")
def rex(
    photographs: Photographs,
    *,
    python: Annotated[Path, typer.Option(help="Python of an environment that has rex-xai.")],
    images: Images = 12,
    iterations: Annotated[int | None, typer.Option(min=1, help="Of ReX; default: its 20.")] = None,
    seed: Seed = 0,
    spec: Sweep,
    models_file: ModelsFile = None,
) -> None:
    """Compare with ReX (rex-xai, in an environment of its own), on the CPU: scores at equal areas, passes, seconds."""
    from ep_core.bench.rex import compare_with_rex
    from ep_core.bench.rex_report import in_words, means
    from ep_core.models import load_model

    paths = pick(photographs, count=images, seed=seed)
    classifier = load_model(spec.model, models_file=models_file, device="cpu")
    found = []
    for path in track(paths, console=err_console, description="comparing", transient=True):
        one = compare_with_rex(classifier, load(path), spec.areas, python=python, iterations=iterations, seed=seed)
        found.append(one)
        out_console.print("\n".join(in_words(path.name, one)), highlight=False, soft_wrap=True)
    out_console.print("mean Phi(m x) / Phi(x) of ReX and of ours", style="bold")
    out_console.print("\n".join(means(found, sorted(spec.areas))), highlight=False)
