"""Commands that ask methods about photographs without annotations: `faithfulness`, `extremality`, `sanity`."""

from __future__ import annotations

from typing import Annotated

import typer

from ep_core.cli.from_spec import Fields
from ep_core.cli.terminal import Device, ModelsFile, check_writable
from ep_core.schemas.specs import EXTREMAL, METHODS, CompareSpec

from .options import (
    ALL_METHODS,
    DEFAULT_OUT,
    Images,
    Out,
    Photographs,
    Seeds,
    changed,
    evaluation,
    run_on_photographs,
    seeds_of,
)

OTHER_METHODS = tuple(name for name in METHODS if name != EXTREMAL)
KEEP_AREAS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
Kept = Annotated[
    CompareSpec,
    Fields(
        *("methods", "areas", "layer", "samples", "preset", "iterations", "model"),
        defaults={"methods": METHODS, "areas": KEEP_AREAS},
        texts={"methods": ALL_METHODS},
    ),
]
Rivals = Annotated[
    CompareSpec,
    Fields(
        *("methods", "areas", "layer", "samples", "iterations", "seed", "model"),
        defaults={"methods": OTHER_METHODS},
        texts={"methods": f"Which methods; default: all but `{EXTREMAL}`."},
    ),
]
Randomised = Annotated[
    CompareSpec,
    Fields(
        *("methods", "areas", "layer", "samples", "preset", "iterations", "seed", "model"),
        defaults={"methods": METHODS},
        texts={"methods": ALL_METHODS},
    ),
]


@evaluation("faithfulness")
def faithfulness_command(
    photographs: Photographs,
    *,
    images: Images = None,
    seeds: Seeds = "0",
    authors: Annotated[
        bool,
        typer.Option(
            "--authors", help="Insertion and deletion as in RISE's code: a row of pixels a step, an 11 x 11 blur."
        ),
    ] = False,
    spec: Kept,
    out: Out = DEFAULT_OUT,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Follow the score as the pixels that each map ranks highest come, or go: insertion, deletion, keep, delete."""
    check_writable(out)
    from ep_core.evaluation.faithfulness import faithfulness

    drawn = seeds_of(seeds)
    spec = changed(spec, seed=drawn[0])
    run_on_photographs(
        faithfulness,
        photographs,
        images,
        spec,
        out=out,
        models_file=models_file,
        device=device,
        seeds=drawn,
        authors=authors,
    )


@evaluation("extremality")
def extremality_command(
    photographs: Photographs,
    *,
    images: Images = None,
    restarts: Annotated[int, typer.Option(min=0, help="Seeds that are run with three times the iterations.")] = 8,
    restarted: Annotated[int, typer.Option(min=0, help="Photographs that are restarted, the first ones.")] = 12,
    spec: Rivals,
    out: Out = DEFAULT_OUT,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Look for masks that score higher than the extremal ones (eq. 2): other methods', and those of longer runs."""
    check_writable(out)
    from ep_core.evaluation.extremality import extremality

    run_on_photographs(
        extremality,
        photographs,
        images,
        spec,
        out=out,
        models_file=models_file,
        device=device,
        restarts=restarts,
        restarted=restarted,
    )


@evaluation("sanity")
def sanity_command(
    photographs: Photographs,
    *,
    images: Images = None,
    depths: Annotated[int, typer.Option(min=1, help="Randomised networks that are asked, at most.")] = 8,
    spec: Randomised,
    out: Out = DEFAULT_OUT,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Randomise the network's weights from the last layer down, and see whether maps change (figure 7)."""
    check_writable(out)
    from ep_core.evaluation.sanity import sanity

    run_on_photographs(
        sanity, photographs, images, spec, out=out, models_file=models_file, device=device, depths=depths
    )
