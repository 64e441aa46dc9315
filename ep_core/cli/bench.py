"""`ep bench ...`: the benchmarks as commands."""

from __future__ import annotations

from statistics import fmean
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from ep_core.pictures.photographs import load, pick
from ep_core.schemas.specs import DEFAULT_MODEL, MAX_TOP

from .bench_options import DEFAULT, Areas, Images, Photographs, Seed, numbers
from .bench_options import bench_app as bench_app
from .terminal import Device, ModelName, ModelsFile, err_console, errors_in_words, out_console, progress_bars


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
        from ep_core.bench.step import BARE, step_seconds
        from ep_core.models import load_model

        batches = numbers(lanes, "lanes", int)
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
        from ep_core.bench.memory import SIDES, peak_megabytes

        peaks = peak_megabytes(model, models_file=models_file, device=device)
        for side in SIDES:
            out_console.print(f"{side}: {peaks[side]:.0f} MB beyond the loaded model", highlight=False)
        out_console.print(f"ratio {peaks[SIDES[1]] / peaks[SIDES[0]]:.2f}", highlight=False)


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
        from ep_core.bench.presets import compare_presets
        from ep_core.models import load_model

        asked = numbers(areas, "areas", float)
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
        from ep_core.bench.channels import channel_gain
        from ep_core.models import load_model

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
        from ep_core.bench.channels import class_table
        from ep_core.models import load_model

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
