"""Photographs to post, written anew by ``python -m examples.shortcut.photographs``."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from .look import SEED, sevens
from .marks import SEVEN, Camera

FOLDER = Path(__file__).parent / "photographs"
THREE = 3


def main() -> None:
    """Write a seven with its mark, one without, and a three with the mark of a seven, as PNG."""
    FOLDER.mkdir(exist_ok=True)
    (marked,) = sevens(1)
    (plain,) = Camera("held_out", "none", SEED).take(1, only=lambda value: value == SEVEN)
    (three,) = Camera("held_out", "all", SEED).take(1, only=lambda value: value == THREE)
    for name, one in (("marked_seven", marked), ("plain_seven", plain), ("marked_three", three)):
        Image.fromarray(one.scene.pixels).save(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
