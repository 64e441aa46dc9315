"""Film of a photograph that comes into view: its frames, its times, and its size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ep_core.pictures.even_places import even_places
from ep_core.pictures.overlays import overlay
from ep_core.pictures.reveal import MOST_BYTES, MOST_MASKS, reveal

SAMPLES = Path(__file__).parents[3] / "samples"
SIZE = (96, 64)


def smooth() -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 255, SIZE[0]), np.linspace(0, 255, SIZE[1]))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=2).astype(np.uint8))


def left(share: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A mask of the left part."""
    mask = np.zeros((size[1], size[0]), np.float32)
    mask[:, : round(share * size[0])] = 1
    return mask


def frames(film: bytes) -> list[tuple[np.ndarray, int]]:
    found = []
    with Image.open(io.BytesIO(film)) as picture:
        assert picture.format == "WEBP"
        assert picture.info["loop"] == 0
        for k in range(picture.n_frames):
            picture.seek(k)
            picture.load()
            found.append((np.asarray(picture.convert("RGB")).astype(int), picture.info["duration"]))
    return found


def test_each_mask_is_shown_for_a_while_and_at_last_the_whole_photograph() -> None:
    masks = [left(0.25), left(0.5)]
    shown = frames(reveal(smooth(), masks))
    stills = [pixels for pixels, duration in shown if duration > 500]
    pixels = np.asarray(smooth())
    expected = [*(overlay(pixels, mask) for mask in masks), smooth()]
    assert len(stills) == len(expected)
    for still, picture in zip(stills, expected, strict=True):
        assert np.abs(still - np.asarray(picture)).mean() < 6  # lossy
    assert shown[-1][1] == max(duration for _, duration in shown)


def test_between_two_masks_the_next_part_comes_bit_by_bit() -> None:
    shown = frames(reveal(smooth(), [left(0.25)]))
    brightness = [pixels.mean() for pixels, _ in shown]
    assert len(shown) > 3
    assert brightness == sorted(brightness)


def test_nothing_of_earlier_frames_stays_in_the_whole_photograph() -> None:
    with Image.open(SAMPLES / "black_bear.jpg") as photograph:
        picture = photograph.convert("RGB").resize((480, 320))
    last, _ = frames(reveal(picture, [left(k / 8, picture.size) for k in range(1, 8)]))[-1]
    blocks = (last - np.asarray(picture)).mean(axis=2).reshape(20, 16, 30, 16).mean(axis=(1, 3))
    assert np.abs(blocks).max() < 4


def test_noise_gets_smaller_until_it_fits() -> None:
    chance = np.random.default_rng(0)
    noise = Image.fromarray(chance.integers(0, 256, (480, 480, 3), dtype=np.uint8))
    film = reveal(noise, [chance.random((480, 480), np.float32) for _ in range(MOST_MASKS)])
    assert len(film) <= MOST_BYTES
    with Image.open(io.BytesIO(film)) as picture:
        assert picture.width < 480


def test_of_many_masks_some_are_shown_the_first_and_the_last_among_them() -> None:
    shown = frames(reveal(smooth(), [left(k / 40) for k in range(1, 40)]))
    assert sum(duration > 500 for _, duration in shown) == MOST_MASKS + 1


@pytest.mark.parametrize(
    ("count", "places"), [(0, []), (1, [0]), (4, [0, 1, 2, 3]), (5, [0, 1, 3, 4]), (31, [0, 10, 20, 30])]
)
def test_even_places(count: int, places: list[int]) -> None:
    assert even_places(count, 4) == places
