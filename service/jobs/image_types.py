"""Types of stored image files, by their first bytes: to open one could decode it, here in the API process."""

from __future__ import annotations

from typing import NamedTuple

from service.http.media_types import BYTES


class ImageType(NamedTuple):
    """Type of an image file."""

    media_type: str
    suffix: str
    """Ending of its name."""


_TYPES = (  # a place in the file, the bytes that stand there, the type
    (0, b"\xff\xd8\xff", ImageType("image/jpeg", ".jpg")),
    (0, b"\x89PNG\r\n\x1a\n", ImageType("image/png", ".png")),
    (8, b"WEBP", ImageType("image/webp", ".webp")),
    (4, b"ftypavif", ImageType("image/avif", ".avif")),
    (4, b"ftypmif1", ImageType("image/avif", ".avif")),
    (0, b"\0\0\0\x0cjP  ", ImageType("image/jp2", ".jp2")),
    (0, b"II", ImageType("image/tiff", ".tif")),
    (0, b"MM", ImageType("image/tiff", ".tif")),
    (0, b"GIF8", ImageType("image/gif", ".gif")),
    (0, b"BM", ImageType("image/bmp", ".bmp")),
)


def image_type(data: bytes) -> ImageType:
    """Return the type of a file; plain bytes, without an ending, where none of these is known."""
    return next((kind for at, magic, kind in _TYPES if data.startswith(magic, at)), ImageType(BYTES, ""))
