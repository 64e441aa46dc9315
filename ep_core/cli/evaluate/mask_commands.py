"""Commands about extremal masks alone: `monotonicity`, `stability`, `growth`, `curves`, `smooth`."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from ep_core.cli.terminal import Device, ModelName, ModelsFile, listed
from ep_core.errors import InvalidInput
from ep_core.schemas.specs import DEFAULT_MODEL, ExtremalSpec
from ep_core.schemas.specs import Preset as PresetName

from .options import (
    DEFAULT_OUT,
    PAPERS_AREAS,
    Areas,
    Images,
    Iterations,
    Out,
    Photographs,
    Preset,
    Seed,
    areas_text,
    conclude,
    evaluating,
    loaded,
    photographs_of,
    seeds_of,
    watched,
)

DENSE_AREAS = areas_text([0.05 * k for k in range(1, 19)])
Presets = Annotated[str, typer.Option("--presets", "--preset", help="fast, paper or both, separated by commas.")]


def monotonicity_command(
    photographs: Photographs,
    images: Images = None,
    areas: Areas = PAPERS_AREAS,
    dense: Annotated[bool, typer.Option("--dense", help=f"Sweep over the areas {DENSE_AREAS}.")] = False,
    presets: Presets = "fast",
    iterations: Iterations = None,
    seed: Seed = 0,
    out: Out = DEFAULT_OUT,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Count how often more area never scores less, below the optimal area (eq. 8)."""
    with evaluating("monotonicity", out):
        from ep_core.evaluation.monotonicity import monotonicity

        wanted = _presets(presets)
        spec = _sweep(model, DENSE_AREAS if dense else areas, wanted[0], iterations, seed)
        paths = photographs_of(photographs, images, seed)
        classifier = loaded(model, models_file, device)
        with watched() as on_progress:
            report = monotonicity(classifier, paths, spec, wanted, out=out, on_progress=on_progress)
        conclude(report, out)


def stability_command(
    photographs: Photographs,
    images: Images = None,
    areas: Areas = PAPERS_AREAS,
    seeds: Annotated[
        str, typer.Option(help="Two at least, separated by commas; the first one's answer is held beside all others.")
    ] = "0,1,2,3,4",
    presets: Presets = "fast",
    iterations: Iterations = None,
    out: Out = DEFAULT_OUT,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Ask again with other seeds, the photograph re-encoded or moved, and other fills: is the answer the same?"""
    with evaluating("stability", out):
        from ep_core.evaluation.stability import stability

        wanted, drawn = _presets(presets), seeds_of(seeds)
        spec = _sweep(model, areas, wanted[0], iterations, drawn[0])
        paths = photographs_of(photographs, images, drawn[0])
        classifier = loaded(model, models_file, device)
        with watched() as on_progress:
            report = stability(classifier, paths, spec, wanted, seeds=drawn, out=out, on_progress=on_progress)
        conclude(report, out)


def growth_command(
    photographs: Photographs,
    images: Images = None,
    areas: Areas = PAPERS_AREAS,
    preset: Preset = "fast",
    iterations: Iterations = None,
    seed: Seed = 0,
    out: Out = DEFAULT_OUT,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Draw masks of increasing area, each learned independently, and what they score (figure 5)."""
    with evaluating("growth", out):
        from ep_core.evaluation.growth import growth

        spec = _sweep(model, areas, preset, iterations, seed)
        paths = photographs_of(photographs, images, seed)
        classifier = loaded(model, models_file, device)
        with watched() as on_progress:
            report = growth(classifier, paths, spec, out=out, on_progress=on_progress)
        conclude(report, out)


def curves_command(
    photographs: Photographs,
    images: Images = None,
    areas: Areas = DENSE_AREAS,
    preset: Preset = "fast",
    iterations: Iterations = None,
    seed: Seed = 0,
    out: Out = DEFAULT_OUT,
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Draw the preservation and the deletion curve of a dense sweep, with its masks (figure 3)."""
    with evaluating("curves", out):
        from ep_core.evaluation.curves import curves

        spec = _sweep(model, areas, preset, iterations, seed)
        paths = photographs_of(photographs, images, seed)
        classifier = loaded(model, models_file, device)
        with watched() as on_progress:
            report = curves(classifier, paths, spec, out=out, on_progress=on_progress)
        conclude(report, out)


def smooth_command(out: Out = DEFAULT_OUT) -> None:
    """Draw what the operators for smooth masks make of a mask in one dimension (figure 4)."""
    with evaluating("smooth", out):
        from ep_core.evaluation.smooth import smooth

        report = smooth(out=out)
        conclude(report, out)


def _sweep(model: str, areas: str, preset: str, iterations: int | None, seed: int) -> ExtremalSpec:
    asked = {"model": model, "areas": listed(areas), "preset": preset, "iterations": iterations, "seed": seed}
    return ExtremalSpec.model_validate(asked)


def _presets(text: str) -> list[PresetName]:
    known: tuple[PresetName, ...] = get_args(PresetName)
    asked = listed(text)
    if not asked or set(asked) - set(known) or len(set(asked)) < len(asked):
        raise InvalidInput(f"presets are {' and '.join(known)}, each once at most, not {text!r}", field="presets")
    return [preset for preset in known if preset in asked]
