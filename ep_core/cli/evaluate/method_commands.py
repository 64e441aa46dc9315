"""Commands that ask methods about photographs without annotations: `faithfulness`, `extremality`, `sanity`."""

from __future__ import annotations

from typing import Annotated

import typer

from ep_core.cli.terminal import Device, ModelName, ModelsFile, listed
from ep_core.schemas.specs import DEFAULT_MODEL, EXTREMAL, METHODS, CompareSpec

from .options import (
    ALL_METHODS,
    DEFAULT_OUT,
    PAPERS_AREAS,
    Areas,
    Images,
    Iterations,
    Layer,
    Methods,
    Out,
    Photographs,
    Preset,
    Samples,
    Seed,
    Seeds,
    areas_text,
    conclude,
    evaluating,
    loaded,
    photographs_of,
    seeds_of,
    watched,
)

OTHER_METHODS = ",".join(name for name in METHODS if name != EXTREMAL)
KEEP_AREAS = areas_text((0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95))


def faithfulness_command(
    photographs: Photographs,
    images: Images = None,
    methods: Methods = ALL_METHODS,
    areas: Areas = KEEP_AREAS,
    layer: Layer = None,
    samples: Samples = None,
    preset: Preset = "fast",
    iterations: Iterations = None,
    seeds: Seeds = "0",
    authors: Annotated[
        bool,
        typer.Option(
            "--authors", help="Insertion and deletion as in RISE's code: a row of pixels a step, an 11 x 11 blur."
        ),
    ] = False,
    out: Out = DEFAULT_OUT,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Follow the score as the pixels that each map ranks highest come, or go: insertion, deletion, keep, delete."""
    with evaluating("faithfulness", out):
        from ep_core.evaluation.faithfulness import faithfulness

        drawn = seeds_of(seeds)
        spec = _asked(model, methods, areas, layer, samples, preset, iterations, drawn[0])
        paths = photographs_of(photographs, images, drawn[0])
        classifier = loaded(model, models_file, device)
        with watched() as on_progress:
            report = faithfulness(
                classifier, paths, spec, seeds=drawn, authors=authors, out=out, on_progress=on_progress
            )
        conclude(report, out)


def extremality_command(
    photographs: Photographs,
    images: Images = None,
    methods: Annotated[
        str, typer.Option("--methods", help="Separated by commas.", show_default=f"all but {EXTREMAL}")
    ] = OTHER_METHODS,
    restarts: Annotated[int, typer.Option(min=0, help="Seeds that are run with three times the iterations.")] = 8,
    restarted: Annotated[int, typer.Option(min=0, help="Photographs that are restarted, the first ones.")] = 12,
    areas: Areas = PAPERS_AREAS,
    layer: Layer = None,
    samples: Samples = None,
    iterations: Iterations = None,
    seed: Seed = 0,
    out: Out = DEFAULT_OUT,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Look for masks that score higher than the extremal ones (eq. 2): other methods', and those of longer runs."""
    with evaluating("extremality", out):
        from ep_core.evaluation.extremality import extremality

        spec = _asked(model, methods, areas, layer, samples, "fast", iterations, seed)
        paths = photographs_of(photographs, images, seed)
        classifier = loaded(model, models_file, device)
        with watched() as on_progress:
            report = extremality(
                classifier, paths, spec, restarts=restarts, restarted=restarted, out=out, on_progress=on_progress
            )
        conclude(report, out)


def sanity_command(
    photographs: Photographs,
    images: Images = None,
    methods: Methods = ALL_METHODS,
    depths: Annotated[int, typer.Option(min=1, help="Randomised networks that are asked, at most.")] = 8,
    areas: Areas = PAPERS_AREAS,
    layer: Layer = None,
    samples: Samples = None,
    preset: Preset = "fast",
    iterations: Iterations = None,
    seed: Seed = 0,
    out: Out = DEFAULT_OUT,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Randomise the network's weights from the last layer down, and see whether maps change (figure 7)."""
    with evaluating("sanity", out):
        from ep_core.evaluation.sanity import sanity

        spec = _asked(model, methods, areas, layer, samples, preset, iterations, seed)
        paths = photographs_of(photographs, images, seed)
        classifier = loaded(model, models_file, device)
        with watched() as on_progress:
            report = sanity(classifier, paths, spec, depths=depths, out=out, on_progress=on_progress)
        conclude(report, out)


def _asked(
    model: str,
    methods: str,
    areas: str,
    layer: str | None,
    samples: int | None,
    preset: str,
    iterations: int | None,
    seed: int,
) -> CompareSpec:
    asked = {"model": model, "methods": listed(methods), "areas": listed(areas), "layer": layer, "samples": samples}
    return CompareSpec.model_validate(asked | {"preset": preset, "iterations": iterations, "seed": seed})
