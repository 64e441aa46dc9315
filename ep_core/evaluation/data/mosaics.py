"""Mosaics of photographs of different classes."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.errors import InvalidInput
from ep_core.evaluation.run import OnRunProgress, unwatched
from ep_core.models import Classifier
from ep_core.pictures.photographs import load

from .annotations import input_scores

TRIES = 50
"""Draws per mosaic until one is new."""


@dataclass(frozen=True)
class Mosaic:
    """n x n pictures of different classes, row by row."""

    paths: tuple[Path, ...]
    classes: tuple[int, ...]

    def files(self, folder: Path) -> list[str]:
        """Return the names of its pictures' files, as seen from a folder."""
        return [path.relative_to(folder).as_posix() for path in self.paths]


def find_confident(
    model: Classifier, photographs: Sequence[Path], *, threshold: float, on_progress: OnRunProgress = unwatched
) -> dict[int, list[Path]]:
    """Return the pictures whose top class is more probable than a threshold, by that class."""
    found = defaultdict(list)
    probable = model.probabilities_by(lambda x: input_scores(model, x)[None])
    for k, path in enumerate(photographs):
        on_progress(k / len(photographs), path.name)
        (probabilities,) = probable(model.preprocess(load(path))[0])
        if float(probabilities.max()) > threshold:
            found[int(probabilities.argmax())].append(path)
    return dict(sorted(found.items()))


def draw_mosaics(confident: dict[int, list[Path]], *, n: int, count: int, seed: int) -> list[Mosaic]:
    """Return up to `count` mosaics, no two the same; a larger count begins with the same ones.

    Raises:
        InvalidInput: there are fewer than n^2 classes.
    """
    if len(confident) < n * n:
        raise InvalidInput(
            f"a mosaic takes {n * n} confidently recognised pictures of different classes, and these are of "
            f"{len(confident)}: give more photographs, or a lower threshold",
            field="photographs",
        )
    numbers = random.Random(seed)  # noqa: S311
    drawn: dict[Mosaic, None] = {}
    for _ in range(TRIES * count):
        classes = tuple(numbers.sample(sorted(confident), n * n))
        drawn[Mosaic(tuple(numbers.choice(confident[one]) for one in classes), classes)] = None
        if len(drawn) == count:
            break
    return list(drawn)


def cell_shares(maps: Tensor, n: int) -> list[float]:
    """Return, for the k-th map of T = n^2 (T x H x W), the share of its positive part that lies in the k-th cell."""
    shares = []
    for of_class, (rows, columns) in zip(maps.clamp(min=0), _cells(maps.shape[1:], n), strict=True):
        total = float(of_class.sum())
        shares.append(float(of_class[rows, columns].sum()) / total if total > 0 else 1 / len(maps))
    return shares


def assemble(cells: Sequence[Tensor], n: int, size: tuple[int, int]) -> Tensor:
    """Return n^2 inputs (1 x 3 x h x w each) as a mosaic 1 x 3 x H x W of a size, each scaled to its cell."""
    mosaic = cells[0].new_empty(1, cells[0].shape[1], *size)
    for cell, (rows, columns) in zip(cells, _cells(size, n), strict=True):
        room = (rows.stop - rows.start, columns.stop - columns.start)
        fits = tuple(cell.shape[2:]) == room
        mosaic[:, :, rows, columns] = cell if fits else interpolate(cell, room, mode="bilinear", antialias=True)
    return mosaic


def _cells(size: Sequence[int], n: int) -> list[tuple[slice, slice]]:
    """Return the rows and columns of n x n cells, row by row, as equal as whole pixels are."""
    rows, columns = ([round(k * side / n) for k in range(n + 1)] for side in size)
    return [(slice(rows[i], rows[i + 1]), slice(columns[j], columns[j + 1])) for i in range(n) for j in range(n)]
