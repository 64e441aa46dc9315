"""Pointing at the right one of two digits: ``python -m examples.digits.pointing``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ep_core import Classifier, explain, load_model
from ep_core.errors import InvalidInput
from ep_core.evaluation.points import ALIKE, highest_point, on_image
from ep_core.models.frame import Frame

from .scenes import SIZE, Box, Digit, Scene, scenes_of_two

MODELS = Path(__file__).parent / "models.toml"
AREA = 0.2
GROWN = 3
"""Pixels by which a box is grown on each side: masks are smooth, and the dark edge belongs to a digit, too."""
SEED = 2**20


def _text(digit: Digit) -> str:
    return f"a photo of a {digit.colour} {digit.word}"


TARGETS: dict[str, Callable[[Digit, Digit], Any]] = {
    "digits-vit": lambda digit, other: digit.word,
    "digits-yolos": lambda digit, other: {"box": digit.box, "label": digit.word},
    "digits-segformer": lambda digit, other: {"segment": digit.word},
    "digits-clip": lambda digit, other: {"text": _text(digit), "against": [_text(other)]},
}
"""Targets by network: one digit beside another one."""


@dataclass(frozen=True)
class Pointed:
    """Position of the mask of one of two digits."""

    share: float
    """Of the mask, in the grown box of the digit."""
    share_of_other: float
    """Of the mask, in the grown box of the other digit."""
    chance: float
    """Share of the picture that the grown box takes: what a mask anywhere has in it, on average."""
    hit: bool
    """True where the mask's highest point, smoothed as the pointing game does it, is in the grown box."""


def point(model: Classifier, scene: Scene, digit: Digit, other: Digit) -> Pointed:
    """Return where the mask of area 0.2 lies that is asked about one digit of a scene."""
    target = TARGETS[model.name](digit, other)
    spec = {"target": target, "areas": [AREA], "check_extremality": False, "alternatives": 0, "contrast": False}
    found = explain(model, Image.fromarray(scene.pixels), spec)
    return located(found.masks[0, 0].numpy(), found.frame, digit, other)


def pointed(model: Classifier, scene: Scene) -> Iterator[Pointed]:
    """Yield where the masks lie that are asked about each of two digits, but for those that the network doesn't see."""
    for digit, other in (scene.digits, scene.digits[::-1]):
        with suppress(InvalidInput):  # a segmenter without a pixel of the class has nothing to explain
            yield point(model, scene, digit, other)


def located(mask: npt.NDArray[np.floating], frame: Frame, digit: Digit, other: Digit) -> Pointed:
    """Return where a mask lies, H x W in [0, 1] of the network's frame."""
    on_scene = frame.mask_to_image(mask)
    rows, columns = _grown(digit.box)
    column, row = highest_point(on_image(mask, frame, ALIKE))
    return Pointed(
        share=float(on_scene[rows, columns].sum() / on_scene.sum()),
        share_of_other=float(on_scene[_grown(other.box)].sum() / on_scene.sum()),
        chance=on_scene[rows, columns].size / on_scene.size,
        hit=rows.start <= row < rows.stop and columns.start <= column < columns.stop,
    )


def _grown(box: Box) -> tuple[slice, slice]:
    """Return the rows and columns of a grown box."""
    left, top, right, bottom = box
    rows = slice(max(0, top - GROWN), min(SIZE, bottom + GROWN))
    return rows, slice(max(0, left - GROWN), min(SIZE, right + GROWN))


def main(
    models: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(TARGETS)}; all by default.")] = None,
    scenes: Annotated[int, typer.Option(min=1, help="Held-out scenes of two digits; each is asked about both.")] = 25,
    models_file: Annotated[Path, typer.Option(help="The model list.")] = MODELS,
) -> None:
    """Print the shares of masks that lie on the digit they are asked about, and hits of the pointing game."""
    table = Table("model", "masks", "on the digit", "on the other", "chance", "hits", box=None, header_style="bold")
    for name in models or TARGETS:
        model = load_model(name, models_file=models_file)
        asked = track(list(scenes_of_two("held_out", SEED, scenes)), description=name, transient=True)
        found = [one for scene in asked for one in pointed(model, scene)]
        means = [
            fmean(values) for values in zip(*((p.share, p.share_of_other, p.chance, p.hit) for p in found), strict=True)
        ]
        table.add_row(name, str(len(found)), *(f"{value:.0%}" for value in means))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
