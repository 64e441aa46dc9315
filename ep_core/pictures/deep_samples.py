"""Grey samples of more than 8 bits: their conversion to 8 bits, and a check of the value that stands for white.

Cameras and scanners of 10, 12 or 14 bits often write their samples into 16 as they are: all of it looks black then.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from ep_core.errors import UnreadableImage

DEEP_GREY = ("I", "I;16", "I;16L", "I;16B", "I;16N")
"""Pillow's modes of grey with more than 8 bits a sample."""

_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _SIGNED = 0, 2
_NARROW_BITS = (10, 12, 14)
_DARK_OF_EIGHT = 2 ** (_NARROW_BITS[-1] - 8) - 1
"""No 8-bit sample is brighter where the 16-bit ones, of which it is the high byte, hold 14 bits or fewer."""


def tells_white(image: Image.Image) -> bool:
    """Return whether a file's format defines the value of white, so that Pillow has scaled the samples already."""
    return image.format in ("PPM", "JPEG2000")


class EightBit:
    """Conversion of a grey image of 9 to 16 bits a sample, band by band: black stays black, and white white."""

    def __init__(self, image: Image.Image, white_level: int | None = None) -> None:
        """Read the file's description of its samples.

        Args:
            image: of a mode in `DEEP_GREY`.
            white_level: the sample value that is white; None: the largest that the samples' bits can hold.
        """
        tags = getattr(image, "tag_v2", {})
        self._bits = tags.get(_TIFF_BITS, (16,))[0]
        self._signed = _SIGNED in tags.get(_TIFF_SAMPLE_FORMAT, ())
        self._white_is_zero = tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO
        self._largest = 2**self._bits - 1
        self._white_level = white_level
        self._tells_white = tells_white(image)
        self._brightest = 0

    def __call__(self, band: Image.Image) -> Image.Image:
        """Return a band in mode L; samples above the white level are white.

        Raises:
            UnreadableImage: the samples have 32 bits, or are signed.
        """
        samples = np.asarray(band).astype(np.int64)
        if self._bits > 16 or self._signed or samples.min() < 0 or samples.max() > self._largest:
            raise UnreadableImage("32-bit and signed samples have no agreed white: convert the image to 8 or 16 bit")
        if self._white_is_zero:
            samples = self._largest - samples
        self._brightest = max(self._brightest, int(samples.max()))
        white = self._white_level or self._largest
        return Image.fromarray(((samples.clip(max=white) * 255 + white // 2) // white).astype(np.uint8))

    def doubt(self) -> str | None:
        """Return what is odd about the samples of the bands that were converted, and what to do about it."""
        brightest, white = self._brightest, self._white_level
        if white is not None:
            cut_off = f"Some samples are brighter ({brightest}) than white_level ({white}): they were cut off."
            return cut_off if brightest > white else None
        narrow = next((bits for bits in _NARROW_BITS if brightest < 2**bits), None)
        if narrow is None or self._bits <= narrow or self._tells_white:
            return None
        likely = 2**narrow - 1
        return (
            f"No sample of the {self._bits}-bit image is above {brightest}, as if all had {narrow} bits: it was read "
            f"as it is, {self._largest / likely:.0f} times too dark if so. Set white_level to {likely} then."
        )


def is_deep_colour(image: Image.Image) -> bool:
    """Return whether an image, not loaded yet, has colours of 16 bits a sample, of which Pillow reads the high byte."""
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS, ())
        return len(bits) > 1 and max(bits) == 16
    tiles = getattr(image, "tile", ())
    return image.format == "PNG" and len(image.getbands()) > 1 and any(";16" in str(tile.args) for tile in tiles)


def doubt_of_colour(picture: Image.Image) -> str | None:
    """Return what is odd about a picture, RGB, made of the high bytes of 16-bit colours."""
    if int(np.max(picture.getextrema())) > _DARK_OF_EIGHT:
        return None
    return (
        "No sample of the 16-bit colours needs more than 14 bits, as if all had fewer: the image was read as it is, "
        "nearly black. Convert it to 8 bits a sample, its white to 255."
    )
