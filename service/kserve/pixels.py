"""Images given as numbers, made files: those of a tensor's clients are then checked and stored as all others are."""

from __future__ import annotations

from typing import Any

import numpy as np

CHANNELS = (1, 3)
"""Grey, or red, green and blue."""


def nested_numbers(data: Any) -> np.ndarray:
    """Return the array of a nested list of numbers, as JSON has it.

    Raises:
        ValueError: it holds something else, its lists differ in length, or it isn't clear what its numbers mean.
    """
    try:
        array = np.asarray(data)
    except (ValueError, OverflowError) as error:  # of numpy's own messages nothing can be learned
        raise ValueError("its lists differ in length, or hold something else than numbers") from error
    if array.dtype.kind not in "iuf":
        raise ValueError("it holds something else than numbers, or none at all")
    if array.dtype.kind != "f" and array.size and array.max() == 1:
        raise ValueError(
            "its numbers are whole and none is above 1: whole numbers are read as 0 to 255, so that it would be "
            "black. Send 255 for white, or fractions such as 1.0"
        )
    return array


def image_file(array: np.ndarray) -> bytes:
    """Return an image of numbers as a file (PNM).

    Args:
        array: H x W, H x W x 1 or H x W x 3, also as a batch of one: whole numbers of 0 to 255, or floating-point
            numbers of 0 to 1, which are rounded to 8 bits.

    Raises:
        ValueError: it has another shape, or numbers outside of these.
    """
    pixels = _eight_bits(_without_batch(array))
    height, width = pixels.shape[:2]
    magic = b"P6" if pixels.ndim == 3 and pixels.shape[2] == 3 else b"P5"
    return b"%b %d %d 255\n" % (magic, width, height) + pixels.tobytes()


def _without_batch(array: np.ndarray) -> np.ndarray:
    shape = " x ".join(map(str, array.shape))
    if array.ndim == 4 and array.shape[0] != 1:
        raise ValueError(f"it is a batch of {array.shape[0]} ({shape}): send one image at a time")
    image = array[0] if array.ndim == 4 else array
    if image.ndim == 3 and image.shape[2] not in CHANNELS and image.shape[0] in CHANNELS:
        raise ValueError(f"it is C x H x W ({shape}): send H x W x C, the channels last")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in CHANNELS):
        raise ValueError(f"its shape is {shape or 'that of a number'}: send H x W x 3 (RGB), H x W x 1 or H x W (grey)")
    if not image.size:
        raise ValueError(f"it has no pixels ({shape})")
    return image


def _eight_bits(image: np.ndarray) -> np.ndarray:
    low, high = float(image.min()), float(image.max())  # nan where one is
    if image.dtype.kind == "f":
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"its numbers go from {low:g} to {high:g}: floating-point ones lie in 0 to 1 (divide by 255, or send "
                "whole numbers of 0 to 255), before any normalisation"
            )
        return np.rint(image.astype(np.float32) * 255).astype(np.uint8)
    if low < 0 or high > 255:
        raise ValueError(f"its numbers go from {low:g} to {high:g}: whole ones lie in 0 to 255")
    return image.astype(np.uint8)
