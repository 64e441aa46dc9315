"""Masks of held-out sevens by both networks: ``python -m examples.shortcut.look``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ep_core import Classifier, Explanation, explain, explain_channels, load_model
from ep_core.pictures.contact_sheet import contact_sheet
from ep_core.pictures.overlays import overlay
from examples.digits.scenes import WORDS

from .marks import SEVEN, Camera, Photograph

MODELS = Path(__file__).parent / "models.toml"
NETWORKS = ("digits-shortcut", "digits-mended")
AREAS = (0.03, 0.05, 0.1, 0.2, 0.4)
LOOKED_AT = 0.05
"""Area of the masks that are looked at: nearly twice the mark's."""
LAYER = "3"
"""The last block, of 96 channels."""
COUNTS = (1, 2, 3, 5, 10, 20, 48)
SEED = 2**20


@dataclass(frozen=True)
class Looked:
    """Findings on one photograph."""

    sufficient: float | None
    """The area a*; None where no mask suffices."""
    on_mark: float
    """Share of the mask of area 0.05 on the mark."""
    on_digit: float
    """Share of it in the digit's box."""
    alternatives: int
    """Other regions that suffice."""
    channels: int | None
    """How many of the last block's channels suffice."""
    mask: npt.NDArray[np.float32]
    """48 x 48, of area 0.05."""


def look(model: Classifier, photograph: Photograph) -> Looked:
    """Return where the masks of a photograph's digit lie, and how many channels suffice."""
    target, picture = WORDS[photograph.value], Image.fromarray(photograph.scene.pixels)
    found = explain(model, picture, {"target": target, "areas": AREAS, "contrast": False})
    channels = explain_channels(model, picture, {"target": target, "layer": LAYER, "areas": COUNTS})
    mask = _mask(found)
    return Looked(
        sufficient=found.optimal_area,
        on_mark=float(mask[photograph.on_mark].sum() / mask.sum()),
        on_digit=float(mask[photograph.on_digit].sum() / mask.sum()),
        alternatives=len(found.alternatives),
        channels=channels.optimal_area,
        mask=mask,
    )


def sevens(count: int) -> list[Photograph]:
    """Return held-out photographs of sevens with their marks."""
    return Camera("held_out", "sevens", SEED).take(count, only=lambda value: value == SEVEN)


def _mask(found: Explanation) -> npt.NDArray[np.float32]:
    mask: npt.NDArray[np.float32] = found.masks[AREAS.index(LOOKED_AT), 0].numpy()
    return mask


def _median(values: Sequence[float | None]) -> str:
    """Return the middle one, "none" where it is missing: what doesn't suffice counts as larger than all."""
    middle = sorted(values, key=lambda value: float("inf") if value is None else value)[len(values) // 2]
    return "none" if middle is None else f"{middle:g}"


def main(
    count: Annotated[int, typer.Option(min=1, help="Photographs.")] = 12,
    picture: Annotated[Path | None, typer.Option(help="PNG of the first four and of where their masks lie.")] = None,
) -> None:
    """Print where the networks look in marked sevens that neither was trained on."""
    shown = sevens(count)
    table = Table("network", "a*", "on the mark", "in the digit's box", "alternatives", "channels", box=None)
    rows = [[Image.fromarray(one.scene.pixels) for one in shown[:4]]]
    for name in NETWORKS:
        model = load_model(name, models_file=MODELS)
        looked = [look(model, one) for one in track(shown, description=name, transient=True)]
        table.add_row(
            name,
            _median([one.sufficient for one in looked]),
            f"{fmean(one.on_mark for one in looked):.0%}",
            f"{fmean(one.on_digit for one in looked):.0%}",
            f"{fmean(one.alternatives > 0 for one in looked):.0%}",
            _median([one.channels for one in looked]),
        )
        pairs = zip(shown[:4], looked[:4], strict=True)
        rows.append([overlay(photograph.scene.pixels, one.mask) for photograph, one in pairs])
    Console().print(table)
    if picture is not None:
        contact_sheet([[name] * len(rows[0]) for name in ("photograph", *NETWORKS)], rows).save(picture)


if __name__ == "__main__":
    typer.run(main)
