"""Photographs named on a command line: files, and folders of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ep_core.errors import InvalidInput

from .decoding import read_with_level

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".jp2", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm", ".qoi"}


def all_photographs(paths: Sequence[Path]) -> list[Path]:
    """Return the photographs among files and folders, in the order of their names.

    Raises:
        InvalidInput: there is none.
    """
    found = {path for path in paths if path.is_file()}
    for folder in paths:
        if folder.is_dir():
            found |= {path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES}
    if not found:
        raise InvalidInput(f"no photographs in {', '.join(map(str, paths))}: name image files or folders of them")
    return sorted(found)


def pick(paths: Sequence[Path], *, count: int, seed: int) -> list[Path]:
    """Return up to `count` photographs out of files and folders, drawn at random with a seed.

    Raises:
        InvalidInput: there is none.
    """
    found = all_photographs(paths)
    return random.Random(seed).sample(found, min(count, len(found)))  # noqa: S311


def load(path: Path, white_level: int | None = None) -> Image.Image:
    """Return a photograph.

    Args:
        path: of its file.
        white_level: of grey samples of more than 8 bits, the value that is white.

    Raises:
        UnreadableImage, ImageTooLarge, InvalidInput: as `read_with_level`.
    """
    return read_with_level(path.read_bytes(), white_level)
