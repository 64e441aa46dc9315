"""`ep bench ...`: the benchmarks as commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Annotated, TypeVar

import typer
from rich.progress import track
from rich.table import Table

from ep_core.errors import InvalidInput
from ep_core.photographs import load, pick
from ep_core.spec import DEFAULT_AREAS, DEFAULT_MODEL, MAX_TOP
from ep_core.terminal import Device, ModelName, ModelsFile, err_console, errors_in_words, out_console, progress_bars

bench_app = typer.Typer(no_args_is_help=True, help="Measure how fast and how good the engine is here.")

Photographs = Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.", exists=True)]
Images = Annotated[int, typer.Option("--images", "-n", min=1, help="Most photographs taken, drawn with the seed.")]
Seed = Annotated[int, typer.Option(help="Draws the photographs.")]
Areas = Annotated[str, typer.Option(help="Shares of the image, separated by commas.")]
N = TypeVar("N", int, float)
DEFAULT = ",".join(map(str, DEFAULT_AREAS))


@bench_app.command("step")
def step(
    model: ModelName = DEFAULT_MODEL,
    lanes: Annotated[str, typer.Option(help="Masks in a batch, one or more numbers separated by commas.")] = "6",
    rounds: Annotated[int, typer.Option(min=1, help="Timed rounds; the medians are shown.")] = 10,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Compare an iteration with the bare network's forward and backward pass on the same batch."""
    with errors_in_words("bench step"):
        from ep_core.models import load_model

        from .step import BARE, step_seconds

        batches = _numbers(lanes, "lanes", int)
        classifier = load_model(model, models_file=models_file, device=device)
        table = Table("lanes", "", "seconds", "per lane", "times the bare network", box=None, header_style="bold")
        for batch in batches:
            seconds = step_seconds(classifier, lanes=batch, rounds=rounds)
            for name, value in seconds.items():
                figures = (f"{value:.4f}", f"{value / batch:.4f}", f"{value / seconds[BARE]:.2f}")
                table.add_row(str(batch), name, *figures)
        out_console.print(f"{model}, medians of {rounds} interleaved rounds, {classifier.device}")
        out_console.print(table)


@bench_app.command("memory")
def memory(model: ModelName = DEFAULT_MODEL, models_file: ModelsFile = None, device: Device = None) -> None:
    """Compare the memory of a default sweep with the bare network's on as many images as there are areas."""
    with errors_in_words("bench memory"):
        from .memory import SIDES, peak_megabytes

        peaks = peak_megabytes(model, models_file=models_file, device=device)
        for side in SIDES:
            out_console.print(f"{side}: {peaks[side]:.0f} MB beyond the loaded model", highlight=False)
        out_console.print(f"ratio {peaks[SIDES[1]] / peaks[SIDES[0]]:.2f}", highlight=False)


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
        from ep_core.models import load_model

        from .torchray import FULL_ITERATIONS, compare, summarise
        from .torchray_side import import_torchray

        import_torchray()
        asked = _numbers(areas, "areas", float)
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
            one = compare(
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
        from ep_core.models import load_model

        from .rex import compare

        asked = _numbers(areas, "areas", float)
        paths = pick(photographs, count=images, seed=seed)
        classifier = load_model(model, models_file=models_file, device="cpu")
        found = []
        for path in track(paths, console=err_console, description="comparing", transient=True):
            one = compare(classifier, load(path), asked, python=python, iterations=iterations, seed=seed)
            found.append(one)
            row = "  ".join(f"{pair.area:g}: {pair.theirs:.2f} {pair.ours:.2f}" for pair in one.pairs)
            part = one.sufficient
            out_console.print(
                f"[bold]{path.name}[/bold] {one.label}  {row}\n  its explanation ({part.area:.1%} of the image): "
                f"{part.theirs:.2f} {part.ours:.2f}; by the mean colour {part.theirs_there:.2f} {part.ours_there:.2f}\n"
                f"  passes {one.rex_cost:.0f} {one.cost:.0f}, seconds {one.rex_seconds:.0f} {one.seconds:.0f}",
                highlight=False,
                soft_wrap=True,
            )
        out_console.print("mean Phi(m x) / Phi(x) of ReX and of ours", style="bold")
        for k, area in enumerate(sorted(asked)):
            means = [fmean(getattr(one.pairs[k], side) for one in found) for side in ("theirs", "ours")]
            higher = sum(one.pairs[k].ours >= one.pairs[k].theirs for one in found)
            out_console.print(
                f"  {area:g}: {means[0]:.2f} {means[1]:.2f}, ours at least its in {higher} of {len(found)}"
            )
        parts = [one.sufficient for one in found]
        for how, end in (("by blur", ""), ("by the mean colour", "_there")):
            means = [fmean(getattr(part, side + end) for part in parts) for side in ("theirs", "ours")]
            out_console.print(f"  at its explanation's area, {how}: {means[0]:.2f} {means[1]:.2f}")
        for name in ("cost", "seconds"):
            means = [fmean(getattr(one, side + name) for one in found) for side in ("rex_", "")]
            out_console.print(f"  {name}: {means[0]:.0f} {means[1]:.0f}")


@bench_app.command("presets")
def presets(
    photographs: Photographs,
    images: Images = 12,
    areas: Areas = DEFAULT,
    iterations: Annotated[int | None, typer.Option(min=1, help="Of the preset paper; default: its 1600.")] = None,
    seed: Seed = 0,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Compare the preset fast with the preset paper, at the areas that the latter's masks have."""
    with errors_in_words("bench presets"):
        from ep_core.models import load_model

        from .presets import compare_presets

        asked = _numbers(areas, "areas", float)
        paths = pick(photographs, count=images, seed=seed)
        classifier = load_model(model, models_file=models_file, device=device)
        gains: list[float] = []
        for path in track(paths, console=err_console, description="comparing", transient=True):
            one = compare_presets(classifier, load(path), asked, iterations=iterations)
            gains += one.gains
            pairs = zip(one.fast, one.gains, strict=True)
            row = "  ".join(f"{point.measured_area:.3f}: {gain:+.3f}" for point, gain in pairs)
            seconds = f"paper {one.paper_seconds:.0f} s, fast {one.fast_seconds:.1f} s"
            out_console.print(f"{path.name} {one.label}  {row}  {seconds}", highlight=False, soft_wrap=True)
        out_console.print(f"mean (score of fast - score of paper) / Phi(x) = {fmean(gains):+.3f}", style="bold")


@bench_app.command("channels")
def channels(
    photographs: Photographs,
    images: Images = 20,
    layer: Annotated[str | None, typer.Option(help="Layer name; default: as `ep channels`.")] = None,
    seed: Seed = 0,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Take the optimal mask's channels away, and as many random ones."""
    with errors_in_words("bench channels"):
        from ep_core.models import load_model

        from .channels import channel_gain

        paths = pick(photographs, count=images, seed=seed)
        classifier = load_model(model, models_file=models_file, device=device)
        for variant in ("preserve", "delete"):
            gains = []
            for path in track(paths, console=err_console, description=variant, transient=True):
                one = channel_gain(classifier, load(path), layer=layer, variant=variant, seed=seed)
                gains.append(one)
                out_console.print(
                    f"{variant} {path.name} {one.label}: Phi(x) {one.original:.2f}, a* {one.optimal} "
                    f"of {one.channels}; {one.taken} kept {one.kept:.2f}, deleted {one.deleted:.2f}, "
                    f"random {one.random:.2f}",
                    highlight=False,
                    soft_wrap=True,
                )
            found = [one.optimal / one.channels for one in gains if one.optimal is not None]
            worse = sum(one.deleted < one.random for one in gains)
            out_console.print(
                f"{variant}, {len(gains)} images: a* found in {len(found)}, on average {fmean(found or [1]):.0%} of "
                f"the channels; curve rises up to a* in {sum(one.rising for one in gains)}; "
                f"{fmean(one.seconds for one in gains):.1f} s an image\n"
                f"  mean score / Phi(x): without them {fmean(one.deleted / one.original for one in gains):+.3f}, "
                f"without random ones {fmean(one.random / one.original for one in gains):+.3f}; "
                f"lower without them in {worse} of {len(gains)}",
                style="bold",
                highlight=False,
            )


@bench_app.command("classes")
def classes(
    photographs: Photographs,
    images: Images = 1000,
    count: Annotated[
        int, typer.Option("--classes", min=2, help="How many classes, those with the most photographs.")
    ] = 4,
    top: Annotated[int, typer.Option(min=1, max=MAX_TOP, help="How many of a class's channels are taken away.")] = 10,
    layer: Annotated[str | None, typer.Option(help="Layer name; default: as `ep channels`.")] = None,
    seed: Seed = 0,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Take the top channels of each class away, and see which class they hurt."""
    with errors_in_words("bench classes"):
        from ep_core.models import load_model

        from .channels import class_table

        paths = pick(photographs, count=images, seed=seed)
        classifier = load_model(model, models_file=models_file, device=device)
        with progress_bars() as bars:
            task = bars.add_task("finding channels", total=1.0)
            found = class_table(
                classifier,
                [load(path) for path in paths],
                layer=layer,
                classes=count,
                top=top,
                seed=seed,
                on_progress=lambda share: bars.update(task, completed=share),
            )
        out_console.print(f"Mean of score / Phi(x) without the top {top} channels of ...", highlight=False)
        table = Table("without those of", *found.labels, box=None, header_style="bold")
        for k, label in enumerate(found.labels):
            table.add_row(label, *(f"{value:+.3f}" for value in found.left[k]))
        table.add_row("random ones", *(f"{value:+.3f}" for value in found.random))
        table.add_row("photographs", *map(str, found.images))
        out_console.print(table)
        for label, chosen in zip(found.labels, found.top, strict=True):
            out_console.print(f"{label}: {', '.join(map(str, chosen))}", highlight=False, soft_wrap=True)


def _numbers(text: str, name: str, kind: Callable[[str], N]) -> list[N]:
    """Return the numbers of an option's value."""
    try:
        numbers = [kind(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) <= 0:
        raise InvalidInput(f"{name} must be positive numbers separated by commas, not {text!r}", field=name)
    return numbers
