"""Posted files without their metadata: place, camera, times, texts, thumbnails. Their pixels stay as they are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress

from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.image import read_image

from . import bmp, gif, jpeg, png, tiff, webp
from .orientation import UPRIGHT, orientation_of
from .parts import NotUnderstood

_STRIPS = {
    jpeg.MAGIC: jpeg.strip,
    png.MAGIC: png.strip,
    webp.MAGIC: webp.strip,
    gif.MAGIC: gif.strip,
    bmp.MAGIC: bmp.strip,
    **dict.fromkeys(tiff.MAGICS, tiff.strip),
}
_CHECKED = (bmp.MAGIC, *tiff.MAGICS)
"""The beginnings of formats whose decoders read on where a file says that it ends: those are compared afterwards."""
_ROWS = 64


def without_metadata(data: bytes, picture: Image.Image) -> bytes:
    """Return a file of the same format, pixels, colour profile and orientation that says nothing else.

    A file of a rare or broken form becomes a PNG of what is seen. One without metadata is returned as it is.

    Args:
        data: a file that `read_image` takes.
        picture: what it has returned of it.
    """
    with suppress(NotUnderstood, IndexError):
        stripped = _strip(data)
        if stripped == data or not data.startswith(_CHECKED) or _shows(stripped, picture):
            return stripped
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _strip(data: bytes) -> bytes:
    strip = next((strip for magic, strip in _STRIPS.items() if data.startswith(magic)), None)
    if strip is None:
        raise NotUnderstood
    stripped = strip(data, UPRIGHT)
    if stripped == data:
        return data
    orientation = orientation_of(data)
    return stripped if orientation == UPRIGHT else strip(data, orientation)


def _shows(data: bytes, picture: Image.Image) -> bool:
    try:
        shown = read_image(data, max_pixels=picture.width * picture.height)
    except InvalidInput:
        return False
    return shown.size == picture.size and all(map(_same, _rows(shown), _rows(picture)))


def _rows(picture: Image.Image) -> Iterator[Image.Image]:
    """Yield a picture in parts: the bytes of all of it would be in memory once more."""
    for top in range(0, picture.height, _ROWS):
        yield picture.crop((0, top, picture.width, min(top + _ROWS, picture.height)))


def _same(part: Image.Image, other: Image.Image) -> bool:
    return part.tobytes() == other.tobytes()
