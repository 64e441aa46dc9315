"""Reveal: a film in which a photograph comes into view, area by area. Imports no torch."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from .even_places import even_places
from .overlays import overlay

SIDE = 480
"""Most pixels of the longer side."""
MOST_BYTES = 500_000
MOST_MASKS = 12
"""Masks of a film: of more, as many at even distances."""
_STILL_MS, _LAST_MS, _STEP_MS = 700, 1600, 60
_STEPS = 3  # frames from one mask to the next
_SMALLER = 0.7  # sides, as often as there are too many bytes
# A key frame for about every mask: without them, blocks of earlier frames stay.
_ENCODING: dict[str, Any] = {"quality": 65, "method": 0, "kmin": _STEPS, "kmax": _STEPS + 1}

Mask = npt.NDArray[np.float32]


def reveal(picture: Image.Image, masks: Sequence[Mask]) -> bytes:
    """Return an animated WebP that shows a photograph under one mask after the other, then whole, again and again.

    Args:
        picture: RGB, at most `SIDE` pixels long. It gets smaller where the film has more than `MOST_BYTES` otherwise.
        masks: H x W of the picture, in [0, 1], in the order in which they are shown.
    """
    shown = [masks[k] for k in even_places(len(masks), MOST_MASKS)]
    film = _encoded(picture, shown)
    while len(film) > MOST_BYTES:
        picture = picture.resize((_less(picture.width), _less(picture.height)))
        film = _encoded(picture, shown)
    return film


def _encoded(picture: Image.Image, masks: Sequence[Mask]) -> bytes:
    pixels = np.asarray(picture)
    frames, times = zip(*_frames([_resized(mask, picture.size) for mask in masks]), strict=True)
    first, *others = [overlay(pixels, mask) for mask in frames]
    buffer = io.BytesIO()
    first.save(buffer, format="WEBP", save_all=True, append_images=others, duration=list(times), loop=0, **_ENCODING)
    return buffer.getvalue()


def _less(side: int) -> int:
    return max(1, round(side * _SMALLER))


def _frames(masks: Sequence[Mask]) -> Iterator[tuple[Mask, int]]:
    """Yield what each frame shows of the picture, and for how many milliseconds."""
    everything = np.ones_like(masks[0])
    for before, after in pairwise([*masks, everything]):
        yield before, _STILL_MS
        for step in range(1, _STEPS + 1):
            share = step / (_STEPS + 1)
            yield (before + share * (after - before)).astype(np.float32), _STEP_MS
    yield everything, _LAST_MS


def _resized(mask: Mask, size: tuple[int, int]) -> Mask:
    if mask.shape == (size[1], size[0]):
        return mask
    return np.clip(np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR)), 0, 1)
