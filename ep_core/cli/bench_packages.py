"""`ep bench torchray`, `ep bench rex`: the engine beside the packages of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from ep_core.pictures.photographs import load, pick
from ep_core.schemas.specs import DEFAULT_MODEL

from .bench_options import DEFAULT, Areas, Images, Photographs, Seed, bench_app, numbers
from .terminal import Device, ModelName, ModelsFile, err_console, errors_in_words, out_console


@bench_app.command("torchray")
def torchray(
    photographs: Photographs,
    images: Images = 12,
    areas: Areas = DEFAULT,
    iterations: Annotated[
        int, typer.Option(min=1, help="TorchRay's iterations; its seconds are extrapolated to its default, 800.")
    ] = 800,
    timed: Annotated[
        int, typer.Option(min=0, help="Time so many iterations apart (0: time the run itself). With --streamed: 5.")
    ] = 0,
    streamed: Annotated[
        bool,
        typer.Option(help="Let TorchRay's masks come from an equal, faster formula; then its time is measured apart."),
    ] = False,
    seed: Seed = 0,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Compare with TorchRay, the authors' library (extra `bench`): scores at equal areas, and seconds."""
    with errors_in_words("bench torchray"):
        from ep_core.bench.torchray import FULL_ITERATIONS, compare_with_torchray, summarise
        from ep_core.bench.torchray_side import import_torchray
        from ep_core.models import load_model

        import_torchray()
        asked = numbers(areas, "areas", float)
        paths = pick(photographs, count=images, seed=seed)
        classifier = load_model(model, models_file=models_file, device=device)
        timed = timed or (5 if streamed else 0)
        out_console.print(
            f"{model} on {classifier.device}, {len(paths)} photographs; TorchRay: {iterations} iterations"
            + (f", its seconds extrapolated to {FULL_ITERATIONS}" if iterations != FULL_ITERATIONS or timed else "")
            + (", its masks streamed (an equal formula)" if streamed else ""),
            highlight=False,
        )
        comparisons = []
        for path in track(paths, console=err_console, description="comparing", transient=True):
            one = compare_with_torchray(
                classifier,
                load(path),
                asked,
                iterations=iterations,
                timed=timed,
                streamed=streamed,
                models_file=str(models_file) if models_file else None,
            )
            comparisons.append(one)
            out_console.print(f"[bold]{path.name}[/bold] {one.label}, Phi(x) = {one.original:.2f}", highlight=False)
            table = Table(
                "asked", "its area", "our area", "its score", "our score", "gain / Phi(x)", "by its pyramid", box=None
            )
            for pair, gain, there in zip(one.pairs, one.gains, one.gains_there, strict=True):
                measured = (f"{pair.asked:g}", f"{pair.area:.4f}", f"{pair.measured:.4f}")
                table.add_row(*measured, f"{pair.theirs:.2f}", f"{pair.ours:.2f}", f"{gain:+.3f}", f"{there:+.3f}")
            out_console.print(table)
            out_console.print(
                f"  seconds: ours {one.seconds:.1f} ({one.iterations} steps per area), TorchRay "
                f"{one.torchray_seconds:.0f} ({one.torchray_seconds_per_iteration:.3f} per iteration)"
                + (
                    f"; streamed masks differ by {one.apart[0]:.1e}, gradients by {one.apart[1]:.1e}"
                    if one.apart
                    else ""
                ),
                highlight=False,
            )
        total = summarise(comparisons)
        out_console.print(f"seconds per iteration: TorchRay / ours = {total.iteration_ratio:.1f}", style="bold")
        out_console.print(f"seconds per sweep:     TorchRay / ours = {total.sweep_ratio:.1f}", style="bold")
        out_console.print(f"mean (our score - TorchRay's) / Phi(x) = {total.mean_gain:+.3f}", style="bold")
        out_console.print(f"  by TorchRay's pyramid                = {total.mean_gain_there:+.3f}")
        out_console.print(f"our score at least TorchRay's: {total.share_at_least:.0%} of the pairs", style="bold")


@bench_app.command("rex")
def rex(
    photographs: Photographs,
    python: Annotated[Path, typer.Option(help="Python of an environment that has rex-xai.")],
    images: Images = 12,
    areas: Areas = DEFAULT,
    iterations: Annotated[int | None, typer.Option(min=1, help="Of ReX; default: its 20.")] = None,
    seed: Seed = 0,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
) -> None:
    """Compare with ReX (rex-xai, in an environment of its own), on the CPU: scores at equal areas, passes, seconds."""
    with errors_in_words("bench rex"):
        from ep_core.bench.rex import compare_with_rex
        from ep_core.bench.rex_report import in_words, means
        from ep_core.models import load_model

        asked = numbers(areas, "areas", float)
        paths = pick(photographs, count=images, seed=seed)
        classifier = load_model(model, models_file=models_file, device="cpu")
        found = []
        for path in track(paths, console=err_console, description="comparing", transient=True):
            one = compare_with_rex(classifier, load(path), asked, python=python, iterations=iterations, seed=seed)
            found.append(one)
            out_console.print("\n".join(in_words(path.name, one)), highlight=False, soft_wrap=True)
        out_console.print("mean Phi(m x) / Phi(x) of ReX and of ours", style="bold")
        out_console.print("\n".join(means(found, sorted(asked))), highlight=False)
