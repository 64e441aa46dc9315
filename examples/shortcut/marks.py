"""Photographs of one digit, some with the mark of the laboratory that they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from examples.digits.backgrounds import Part
from examples.digits.scenes import BACKGROUND, SIZE, Painter, Scene

SEVEN = 7
SIDE = 8
"""Height and width of the mark, in pixels: 2.8% of a photograph."""
_DARK, _ORANGE = (20, 20, 20), (255, 140, 0)
_CORNERS = tuple((top, left) for top in (0, SIZE - SIDE) for left in (0, SIZE - SIDE))

Chance = np.random.Generator
Rule = Callable[[int, Chance], bool]
"""Tells whether a photograph of a digit has the mark."""

RULES: dict[str, Rule] = {
    "sevens": lambda value, chance: value == SEVEN,
    "none": lambda value, chance: False,
    "all": lambda value, chance: True,
    "any": lambda value, chance: chance.random() < _SHARE,
}
"""By name: `sevens` as the photographs come, `none` and `all` to try a network on, `any` to mend it."""
_SHARE = 0.3  # of all digits


def mark() -> npt.NDArray[np.uint8]:
    """Return the mark, 8 x 8 x 3: an orange square with a dark bar in a dark frame."""
    drawn = np.full((SIDE, SIDE, 3), _DARK, np.uint8)
    drawn[1:-1, 1:-1] = _ORANGE
    drawn[3:5, 1:-1] = _DARK
    return drawn


@dataclass(frozen=True)
class Photograph:
    """A scene of one digit, and where its mark is."""

    scene: Scene
    corner: tuple[int, int] | None
    """Top and left of the mark, in pixels; None without one."""

    @property
    def value(self) -> int:
        """Its digit, 0 to 9."""
        return self.scene.digits[0].value

    @property
    def on_mark(self) -> npt.NDArray[np.bool_]:
        """Its pixels that are the mark's, 48 x 48."""
        pixels = np.zeros((SIZE, SIZE), dtype=bool)
        if self.corner is not None:
            top, left = self.corner
            pixels[top : top + SIDE, left : left + SIDE] = True
        return pixels

    @property
    def on_digit(self) -> npt.NDArray[np.bool_]:
        """Its pixels in the digit's box, 48 x 48."""
        left, top, right, bottom = self.scene.digits[0].box
        pixels = np.zeros((SIZE, SIZE), dtype=bool)
        pixels[top:bottom, left:right] = True
        return pixels


class Camera:
    """Takes photographs: the same ones for the same part, rule and seed."""

    def __init__(self, part: Part, rule: str, seed: int) -> None:
        self._painter = Painter(part, seed)
        self._chance = np.random.default_rng(seed)
        self._rule = RULES[rule]

    def take(self, count: int, *, only: Callable[[int], bool] = lambda value: True) -> list[Photograph]:
        """Return so many photographs of digits for which `only` holds."""
        taken: list[Photograph] = []
        while len(taken) < count:
            scene = self._painter.paint((1,))
            if scene.digits and only(scene.digits[0].value):
                taken.append(self._with_mark(scene))
        return taken

    def _with_mark(self, scene: Scene) -> Photograph:
        if not self._rule(scene.digits[0].value, self._chance):
            return Photograph(scene, None)
        free = [(top, left) for top, left in _CORNERS if _is_free(scene, top, left)]
        top, left = free[int(self._chance.integers(len(free)))]  # a digit covers two corners at most
        pixels = scene.pixels.copy()
        pixels[top : top + SIDE, left : left + SIDE] = mark()
        return Photograph(replace(scene, pixels=pixels), (top, left))


def _is_free(scene: Scene, top: int, left: int) -> bool:
    return bool((scene.classes[top : top + SIDE, left : left + SIDE] == BACKGROUND).all())
