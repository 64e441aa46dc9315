"""Scenes: handwritten digits in colour before photographs, with their boxes and pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .backgrounds import Part, Pixels, load_backgrounds
from .glyphs import Stencil, enlarged, load_glyphs, scrambled, widened

SIZE = 48
"""Height and width of a scene, in pixels."""
COLOURS = {
    "red": (235, 50, 45),
    "green": (60, 200, 70),
    "blue": (70, 110, 250),
    "yellow": (250, 220, 50),
    "white": (245, 245, 245),
    "pink": (250, 120, 210),
}
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
BACKGROUND = 0
"""Class of the pixels that are of no digit; those of digit k have class k + 1."""

_HEIGHTS = (19, 22)
_GRID = 8  # digits lie on the grid of patches: a small ViT learns this in minutes
_EDGE = 0.8  # how dark the edge around a digit is
_LIGHT = (0.3, 0.6)
_TRIES = 60
_TEXTURES = 0.5
_NAMES = tuple(COLOURS)
_INSIDE = 0.5  # a pixel with as much of the colour belongs to the digit

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; pixel i spans [i, i + 1]."""


@dataclass(frozen=True)
class Digit:
    """A digit in a scene."""

    value: int
    colour: str
    box: Box

    @property
    def word(self) -> str:
        """Its label: zero to nine."""
        return WORDS[self.value]


@dataclass(frozen=True)
class Scene:
    """A picture with its digits."""

    pixels: Pixels
    """48 x 48 x 3."""
    digits: tuple[Digit, ...]
    classes: npt.NDArray[np.int64]
    """48 x 48: class of each pixel, 0 to 10."""


class Painter:
    """Draws scenes: the same ones for the same part and seed. Digits and backgrounds of the two parts are different."""

    def __init__(self, part: Part, seed: int) -> None:
        self._part: Part = part
        self._glyphs, self._backgrounds = load_glyphs(part), load_backgrounds(part)
        self._chance = np.random.default_rng(seed)

    def paint(self, counts: Sequence[int] = (1, 2)) -> Scene:
        """Return a scene of one of these numbers of different digits in different colours; half have a texture, too."""
        count = int(self._chance.choice(counts))
        values = self._chance.permutation(10)[:count]
        colours = self._chance.permutation(_NAMES)[: count + 1]
        canvas = _Canvas(self._background(), self._chance)
        digits = []
        for value, colour in zip(map(int, values), map(str, colours), strict=False):
            if box := canvas.put(self._stencil(value), colour, value + 1):
                digits.append(Digit(value, colour, box))
        if self._chance.random() < _TEXTURES:
            canvas.put(
                scrambled(self._stencil(int(self._chance.integers(10))), self._chance), str(colours[-1]), BACKGROUND
            )
        return canvas.scene(digits)

    def _stencil(self, value: int) -> Stencil:
        which = int(self._chance.integers(len(self._glyphs[value])))
        height = int(self._chance.integers(*_HEIGHTS, endpoint=True))
        return enlarged(self._part, value, which, height)

    def _background(self) -> npt.NDArray[np.float32]:
        """Return a part of a photograph, darkened so that every colour stands out."""
        whole = self._backgrounds[int(self._chance.integers(len(self._backgrounds)))]
        top, left = (int(self._chance.integers(length - SIZE + 1)) for length in whole.shape[:2])
        crop = whole[top : top + SIZE, left : left + SIZE]
        mirrored = crop[:, ::-1] if self._chance.random() < 0.5 else crop
        return mirrored * np.float32(self._chance.uniform(*_LIGHT))


def scenes_of_two(part: Part, seed: int, count: int) -> Iterator[Scene]:
    """Yield as many scenes of two digits."""
    painter = Painter(part, seed)
    while count:
        scene = painter.paint((2,))
        if len(scene.digits) == 2:  # there was room for both
            count -= 1
            yield scene


class _Canvas:
    """A picture that stencils are put on, side by side."""

    def __init__(self, background: npt.NDArray[np.float32], chance: np.random.Generator) -> None:
        self._pixels = background.copy()
        self._classes = np.full((SIZE, SIZE), BACKGROUND, dtype=np.int64)
        self._taken = np.zeros((SIZE, SIZE), dtype=bool)
        self._chance = chance

    def put(self, stencil: Stencil, colour: str, of_class: int) -> Box | None:
        """Paint a stencil where there is room, over a dark edge, and return its box; None where there is no room."""
        edge = widened(stencil)
        height, width = edge.shape
        for _ in range(_TRIES):
            left, top = (_GRID * int(self._chance.integers((SIZE - side) // _GRID + 1)) for side in (width, height))
            around = slice(top, top + height), slice(left, left + width)
            if not self._taken[around].any():
                break
        else:
            return None
        self._taken[around] = True
        self._pixels[around] *= 1 - _EDGE * edge[..., None]
        inside = slice(top + 1, top + height - 1), slice(left + 1, left + width - 1)
        self._pixels[inside] += stencil[..., None] * (np.float32(COLOURS[colour]) - self._pixels[inside])
        self._classes[inside][stencil > _INSIDE] = of_class
        return left + 1, top + 1, left + width - 1, top + height - 1

    def scene(self, digits: Sequence[Digit]) -> Scene:
        return Scene(self._pixels.round().astype(np.uint8), tuple(digits), self._classes)
