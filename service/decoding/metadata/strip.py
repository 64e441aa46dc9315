"""Removal of metadata from posted files: place, camera, times, texts, thumbnails. Pixels stay as they are."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.pictures.decoding import read_image

from . import avif, bmp, gif, jpeg, jpeg2000, png, tiff, webp
from .orientation import UPRIGHT, orientation_of
from .parts import NotUnderstood


class _Format(NamedTuple):
    """First bytes of a format, and the function that removes its metadata."""

    magics: tuple[bytes, ...]
    strip: Callable[[bytes, int], bytes]
    at: int = 0
    """Place of the first bytes."""
    is_checked: bool = False
    """True where the picture is compared afterwards: a decoder may read what the file says isn't of the picture."""


_FORMATS = (
    _Format((jpeg.MAGIC,), jpeg.strip),
    _Format((png.MAGIC,), png.strip),
    _Format((webp.MAGIC,), webp.strip),
    _Format((gif.MAGIC,), gif.strip),
    _Format((bmp.MAGIC,), bmp.strip, is_checked=True),
    _Format(tiff.MAGICS, tiff.strip, is_checked=True),
    _Format((jpeg2000.MAGIC, jpeg2000.CODESTREAM_MAGIC), jpeg2000.strip, is_checked=True),
    _Format(avif.MAGICS, avif.strip, at=4, is_checked=True),
)
_ROWS = 64


def without_metadata(data: bytes, picture: Image.Image, white_level: int | None = None) -> bytes:
    """Return a file of the same format, pixels, colour profile and orientation, without other metadata.

    A file of a rare or broken form becomes a PNG of what is seen. One without metadata is returned as it is.

    Args:
        data: a file that `read_image` takes.
        picture: what it has returned of it.
        white_level: that it was given.
    """
    known = next((one for one in _FORMATS if data.startswith(one.magics, one.at)), None)
    with suppress(NotUnderstood, IndexError):
        stripped = _strip(data, known)
        if stripped == data or not (known and known.is_checked) or _shows(stripped, picture, white_level):
            return stripped
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _strip(data: bytes, known: _Format | None) -> bytes:
    if known is None:
        raise NotUnderstood
    stripped = known.strip(data, UPRIGHT)
    if stripped == data:
        return data
    orientation = orientation_of(data)
    return stripped if orientation == UPRIGHT else known.strip(data, orientation)


def _shows(data: bytes, picture: Image.Image, white_level: int | None) -> bool:
    try:
        shown = read_image(data, max_pixels=picture.width * picture.height, white_level=white_level)
    except InvalidInput:
        return False
    return shown.size == picture.size and all(map(_same, _rows(shown), _rows(picture)))


def _rows(picture: Image.Image) -> Iterator[Image.Image]:
    """Yield a picture in parts: the bytes of all of it would be in memory once more."""
    for top in range(0, picture.height, _ROWS):
        yield picture.crop((0, top, picture.width, min(top + _ROWS, picture.height)))


def _same(part: Image.Image, other: Image.Image) -> bool:
    return part.tobytes() == other.tobytes()
