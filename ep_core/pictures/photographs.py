"""Photographs named on a command line: files, and folders of them."""

from __future__ import annotations

import glob
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.schemas.reports.file_names import RESULT

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


def named_photographs(names: Sequence[str], *, beside: Path | None = None) -> list[Path]:
    """Return the photographs that names on a command line stand for, in their order, each once.

    A name is that of a file, of a folder (its image files, also in the folders in it, but neither hidden ones nor those
    of a result), or a pattern such as ``"more/*.jpg"``.

    Args:
        names: as given.
        beside: a folder to pass over: that of the results.

    Raises:
        InvalidInput: a name stands for nothing.
    """
    found: dict[Path, Path] = {}
    for name in names:
        paths = list(_named(name, beside))
        if not paths:
            what = "no image files in" if Path(name).is_dir() else "no such file or folder:"
            raise InvalidInput(f"{what} {name}", field="image")
        for path in paths:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _named(name: str, beside: Path | None) -> Iterator[Path]:
    path = Path(name)
    if path.is_dir():
        yield from _inside(path, beside)
    elif path.exists():
        yield path
    else:
        for match in sorted(map(Path, glob.glob(name, recursive=True))):
            yield from _inside(match, beside) if match.is_dir() else [match]


def _inside(folder: Path, beside: Path | None) -> Iterator[Path]:
    passed_over = {beside.resolve()} if beside is not None else set()
    for path in sorted(folder.rglob("*")):
        if (path.is_dir() and (path / RESULT).exists()) or path.parent.resolve() in passed_over:
            passed_over.add(path.resolve())
        elif path.suffix.lower() in SUFFIXES and not _is_hidden(path.relative_to(folder)) and path.is_file():
            yield path


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


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
