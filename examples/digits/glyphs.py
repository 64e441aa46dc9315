"""Handwritten digits as stencils: those of scikit-learn's `load_digits`, 8 x 8, made larger."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.datasets import load_digits

from .backgrounds import Part

Stencil = npt.NDArray[np.float32]
"""H x W in [0, 1]: how much of the colour a pixel gets."""

_TRAINED_ON = 0.8
_INK = 4.0
"""Value from which a pixel of `load_digits`, 0 to 16, belongs to the digit."""


@cache
def load_glyphs(part: Part) -> dict[int, list[Stencil]]:
    """Return the digits of a part by their value, each cut to its ink: up to 8 x 8, values in [0, 1].

    The first four fifths are for training: the last ones are of writers who come late in the data set.
    """
    data = load_digits()
    first = round(_TRAINED_ON * len(data.target))
    chosen = slice(first) if part == "train" else slice(first, None)
    glyphs: dict[int, list[Stencil]] = {value: [] for value in range(10)}
    for image, value in zip(data.images[chosen], data.target[chosen], strict=True):
        glyphs[int(value)].append(_cut_to_ink(image))
    return glyphs


def _cut_to_ink(image: npt.NDArray[np.floating]) -> Stencil:
    rows, columns = np.nonzero(image >= _INK)
    cut = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return (cut / 16).astype(np.float32)


@lru_cache(maxsize=20_000)
def enlarged(part: Part, value: int, which: int, height: int) -> Stencil:
    """Return a part's digit of a value with a height in pixels, smooth, with edges about two pixels wide."""
    glyph = load_glyphs(part)[value][which]
    width = max(3, round(height * glyph.shape[1] / glyph.shape[0]))
    large = Image.fromarray(glyph).resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(2.5 * np.asarray(large) - 0.5, 0, 1)


def widened(stencil: Stencil) -> Stencil:
    """Return the largest value among each pixel and its eight neighbours: H x W -> (H + 2) x (W + 2)."""
    padded = np.pad(stencil, 2)
    rows = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    return np.maximum(np.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])


def scrambled(stencil: Stencil, chance: np.random.Generator) -> Stencil:
    """Return a texture of a digit's parts, in disorder: as much ink, and no digit."""
    height, width = (4 * (side // 4) for side in stencil.shape)
    tiles = stencil[:height, :width].reshape(4, height // 4, 4, width // 4).swapaxes(1, 2)
    tiles = chance.permutation(tiles.reshape(16, height // 4, width // 4)).reshape(4, 4, height // 4, width // 4)
    return tiles.swapaxes(1, 2).reshape(height, width)
