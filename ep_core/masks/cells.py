"""Cells of the masks' lattice: as many across every frame, whatever its size. Imports no torch."""

from __future__ import annotations

import math
from fractions import Fraction

from ep_core.errors import InvalidInput

CELLS = 32
"""Along the shorter side of a frame: cells of 7 pixels at 224."""
LEAST_STEP = 2
"""Pixels of a cell along the shorter side: frames of less than 64 have fewer cells."""
FULL_SIDE = CELLS * LEAST_STEP
"""Pixels of the shorter side from which on there are all `CELLS`."""
LEAST_SIDE = 16
"""Pixels of the shorter side: below, a spot of a single cell covers most of the frame."""
SPOT_CELLS = math.pi * (1 + 2 * math.sqrt(math.log(2))) ** 2
"""Cells where the kernel ``exp(-max(0, z - 1)^2 / 4)`` of a sample is above one half: 22."""


def lattice_step(size: tuple[int, int]) -> Fraction:
    """Return the pixels per lattice step in a frame of a height and width."""
    shorter = min(size)
    return Fraction(shorter, min(CELLS, max(1, shorter // LEAST_STEP)))


def spot_area(size: tuple[int, int]) -> float:
    """Return the share of a frame that the spot of a single cell covers, where its parameter is 1."""
    step = lattice_step(size)
    return min(1.0, SPOT_CELLS * float(step * step) / (size[0] * size[1]))


def check_frame(size: tuple[int, int], *, field: str) -> None:
    """Raise `InvalidInput` where a frame is too small for masks.

    Args:
        size: height and width, in pixels.
        field: the input that the frame is of: the model, or an image that is preprocessed already.
    """
    if min(size) < LEAST_SIDE:
        raise InvalidInput(
            f"a frame of {size[0]} x {size[1]} pixels is too small for masks: its shorter side must have at least "
            f"{LEAST_SIDE}; give a larger image, or take a model of a larger frame",
            field=field,
        )
