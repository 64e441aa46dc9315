"""Regions of an image, as a picture shows them: white where the region is. Needs Pillow only."""

from __future__ import annotations

from PIL import Image

from ep_core.errors import InvalidInput

from .decoding import MAX_PIXELS, read_image

HALF = 128
"""Least grey of 255 that is white."""


def read_region(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the region that the picture in a file shows: see `region_of`. Transparent parts lie outside.

    Args:
        data: the file's bytes.
        max_pixels: most pixels, as the file has them.

    Raises:
        UnreadableImage, ImageTooLarge: as `read_image`.
        InvalidInput: no pixel is white.
    """
    return region_of(read_image(data, max_pixels=max_pixels, behind="black"))


def region_of(picture: Image.Image) -> Image.Image:
    """Return the region that a picture shows: a picture in the mode ``L``, 255 in the region and 0 elsewhere.

    A pixel is in the region where its grey (0.299 R + 0.587 G + 0.114 B) is at least half of white.

    Args:
        picture: RGB, transparent parts laid on black: what isn't painted isn't in the region.

    Raises:
        InvalidInput: no pixel is white.
    """
    grey = picture.convert("L")
    region = grey.point([255 if level >= HALF else 0 for level in range(256)])
    if region.getbbox() is None:
        raise InvalidInput(
            f"the mask has no white pixel, its brightest has {grey.getextrema()[1]} of 255: paint the region white",
            field="target_mask",
        )
    return region
