"""Commands about extremal masks alone: `monotonicity`, `stability`, `growth`, `curves`, `smooth`."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from ep_core.cli.from_spec import Fields
from ep_core.cli.terminal import Device, ModelsFile, check_writable, errors_in_words, listed
from ep_core.errors import InvalidInput
from ep_core.schemas.specs import ExtremalSpec, Preset

from .options import (
    DEFAULT_OUT,
    STOPPED,
    Images,
    Out,
    Photographs,
    areas_text,
    changed,
    conclude,
    evaluation,
    run_on_photographs,
    seeds_of,
)

DENSE_AREAS = tuple(k / 20 for k in range(1, 19))
Presets = Annotated[str, typer.Option("--presets", "--preset", help="fast, paper or both, separated by commas.")]
Sweep = Annotated[ExtremalSpec, Fields("areas", "preset", "iterations", "seed", "model")]
DenseSweep = Annotated[
    ExtremalSpec, Fields("areas", "preset", "iterations", "seed", "model", defaults={"areas": DENSE_AREAS})
]
SweepOfPresets = Annotated[ExtremalSpec, Fields("areas", "iterations", "seed", "model")]
SweepOfSeeds = Annotated[ExtremalSpec, Fields("areas", "iterations", "model")]


@evaluation("monotonicity")
def monotonicity_command(
    photographs: Photographs,
    *,
    images: Images = None,
    dense: Annotated[bool, typer.Option("--dense", help=f"Sweep over the areas {areas_text(DENSE_AREAS)}.")] = False,
    presets: Presets = "fast",
    spec: SweepOfPresets,
    out: Out = DEFAULT_OUT,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Count how often more area never scores less, below the optimal area (eq. 8)."""
    check_writable(out)
    from ep_core.evaluation.monotonicity import monotonicity

    wanted = _presets(presets)
    spec = changed(spec, preset=wanted[0], areas=DENSE_AREAS if dense else spec.areas)
    run_on_photographs(
        monotonicity, photographs, images, spec, out=out, models_file=models_file, device=device, presets=wanted
    )


@evaluation("stability")
def stability_command(
    photographs: Photographs,
    *,
    images: Images = None,
    seeds: Annotated[
        str, typer.Option(help="Two at least, separated by commas; the first one's answer is held beside all others.")
    ] = "0,1,2,3,4",
    presets: Presets = "fast",
    spec: SweepOfSeeds,
    out: Out = DEFAULT_OUT,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Ask again with other seeds, the photograph re-encoded or moved, and other fills: is the answer the same?"""
    check_writable(out)
    from ep_core.evaluation.stability import stability

    wanted, drawn = _presets(presets), seeds_of(seeds)
    spec = changed(spec, preset=wanted[0], seed=drawn[0])
    run_on_photographs(
        stability,
        photographs,
        images,
        spec,
        out=out,
        models_file=models_file,
        device=device,
        presets=wanted,
        seeds=drawn,
    )


@evaluation("growth")
def growth_command(
    photographs: Photographs,
    *,
    images: Images = None,
    spec: Sweep,
    out: Out = DEFAULT_OUT,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Draw masks of increasing area, each learned independently, and what they score (figure 5)."""
    check_writable(out)
    from ep_core.evaluation.growth import growth

    run_on_photographs(growth, photographs, images, spec, out=out, models_file=models_file, device=device)


@evaluation("curves")
def curves_command(
    photographs: Photographs,
    *,
    images: Images = None,
    spec: DenseSweep,
    out: Out = DEFAULT_OUT,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Draw the preservation and the deletion curve of a dense sweep, with its masks (figure 3)."""
    check_writable(out)
    from ep_core.evaluation.curves import curves

    run_on_photographs(curves, photographs, images, spec, out=out, models_file=models_file, device=device)


def smooth_command(out: Out = DEFAULT_OUT) -> None:
    """Draw what the operators for smooth masks make of a mask in one dimension (figure 4)."""
    with errors_in_words("evaluate smooth", stopped=STOPPED):
        check_writable(out)
        from ep_core.evaluation.smooth import smooth

        report = smooth(out=out)
        conclude(report, out)


def _presets(text: str) -> list[Preset]:
    known: tuple[Preset, ...] = get_args(Preset)
    asked = listed(text)
    if not asked or set(asked) - set(known) or len(set(asked)) < len(asked):
        raise InvalidInput(f"presets are {' and '.join(known)}, each once at most, not {text!r}", field="presets")
    return [preset for preset in known if preset in asked]
