"""`ep bench torchray`: the engine beside TorchRay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track
from rich.table import Table

from ep_core.cli.from_spec import spec_command
from ep_core.cli.terminal import Device, ModelsFile, err_console, out_console
from ep_core.pictures.photographs import load, pick

from .options import Images, Photographs, Seed, Sweep

if TYPE_CHECKING:
    from ep_core.bench.torchray import Comparison, Summary


@spec_command("bench torchray")
def torchray(
    photographs: Photographs,
    *,
    images: Images = 12,
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
    spec: Sweep,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Compare with TorchRay, the authors' library (extra `bench`): scores at equal areas, and seconds."""
    from ep_core.bench.torchray import FULL_ITERATIONS, compare_with_torchray, summarise
    from ep_core.bench.torchray_side import import_torchray
    from ep_core.models import load_model

    import_torchray()
    paths = pick(photographs, count=images, seed=seed)
    classifier = load_model(spec.model, models_file=models_file, device=device)
    timed = timed or (5 if streamed else 0)
    out_console.print(
        f"{spec.model} on {classifier.device}, {len(paths)} photographs; TorchRay: {iterations} iterations"
        + (f", its seconds extrapolated to {FULL_ITERATIONS}" if iterations != FULL_ITERATIONS or timed else "")
        + (", its masks streamed (an equal formula)" if streamed else ""),
        highlight=False,
    )
    comparisons = []
    for path in track(paths, console=err_console, description="comparing", transient=True):
        one = compare_with_torchray(
            classifier,
            load(path),
            spec.areas,
            iterations=iterations,
            timed=timed,
            streamed=streamed,
            models_file=str(models_file) if models_file else None,
        )
        comparisons.append(one)
        _show(path.name, one)
    _conclude(summarise(comparisons))


def _show(name: str, one: Comparison) -> None:
    out_console.print(f"[bold]{name}[/bold] {one.label}, Phi(x) = {one.original:.2f}", highlight=False)
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
        + (f"; streamed masks differ by {one.apart[0]:.1e}, gradients by {one.apart[1]:.1e}" if one.apart else ""),
        highlight=False,
    )


def _conclude(total: Summary) -> None:
    out_console.print(f"seconds per iteration: TorchRay / ours = {total.iteration_ratio:.1f}", style="bold")
    out_console.print(f"seconds per sweep:     TorchRay / ours = {total.sweep_ratio:.1f}", style="bold")
    out_console.print(f"mean (our score - TorchRay's) / Phi(x) = {total.mean_gain:+.3f}", style="bold")
    out_console.print(f"  by TorchRay's pyramid                = {total.mean_gain_there:+.3f}")
    out_console.print(f"our score at least TorchRay's: {total.share_at_least:.0%} of the pairs", style="bold")
