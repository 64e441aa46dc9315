"""Images as numbers: what they are read as, and what is refused with which word."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.kserve.pixels import image_file, nested_numbers


def read(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)))


def test_whole_numbers_are_the_pixels_in_colour_and_in_grey() -> None:
    colour = np.arange(24, dtype=np.int64).reshape(2, 4, 3) * 11
    assert read(image_file(colour)).tolist() == colour.tolist()
    assert read(image_file(colour[None])).tolist() == colour.tolist()
    assert read(image_file(colour[:, :, :1])).tolist() == colour[:, :, 0].tolist()
    assert read(image_file(colour[:, :, 0])).tolist() == colour[:, :, 0].tolist()


def test_fractions_are_rounded_to_eight_bits() -> None:
    given = [[0.0, 0.0019, 0.002], [0.5, 0.999, 1.0]]  # times 255: 0, 0.48, 0.51, 127.5, 254.7, 255
    assert read(image_file(nested_numbers(given))).tolist() == [[0, 0, 1], [128, 255, 255]]
    every = np.arange(256) / 255
    for dtype in (np.float16, np.float32, np.float64):
        assert read(image_file(every.reshape(16, 16).astype(dtype))).ravel().tolist() == list(range(256))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((3, 8, 9)), "C x H x W (3 x 8 x 9): send H x W x C"),
        (np.zeros((8, 9, 4)), "its shape is 8 x 9 x 4"),
        (np.zeros((2, 8, 9, 3)), "a batch of 2"),
        (np.zeros(()), "that of a number"),
        (np.zeros((0, 9, 3)), "no pixels"),
        (np.full((2, 2), 255.0), "from 255 to 255: floating-point ones lie in 0 to 1 (divide by 255"),
        (np.full((2, 2), -0.1), "from -0.1"),
        (np.full((2, 2), np.nan), "from nan to nan"),
        (np.full((2, 2), 256), "whole ones lie in 0 to 255"),
        (np.full((2, 2), -1), "from -1"),
    ],
)
def test_what_is_no_image_is_told_in_words(array: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=r"its|it ") as caught:
        image_file(array)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([[1, 2], [3]], "differ in length"),
        ([["a"]], "something else than numbers"),
        ([[None]], "something else than numbers"),
        ([[True]], "something else than numbers"),
        ([[10**30]], "something else than numbers"),
        ([[0, 1], [1, 0]], "none is above 1"),
    ],
)
def test_lists_that_are_no_clear_numbers_are_refused(data: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        nested_numbers(data)


def test_a_black_image_of_whole_numbers_is_one() -> None:
    assert read(image_file(nested_numbers([[0, 0], [0, 0]]))).tolist() == [[0, 0], [0, 0]]
