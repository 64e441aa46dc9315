"""Images as they are given: files, addresses, bytes, Pillow's, numpy's."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, Any, TypeAlias

from PIL import Image

from .messages import Part

GivenImage: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | Any
"""A path, the address of an image (``https://...``, where the operator allows it), the bytes of a file, an open one, a
Pillow image, or an array of H x W or H x W x 3 bytes."""
_ADDRESSES = ("http://", "https://")


def image_parts(given: GivenImage) -> list[Part]:
    """Return the part of a form that has an image: `image`, or `image_url`."""
    if isinstance(given, str) and given.lower().startswith(_ADDRESSES):
        return [Part("image_url", given.encode())]
    return [file_part("image", given)]


def file_part(name: str, given: GivenImage) -> Part:
    """Return a picture as a file of a form.

    Raises:
        OSError: the file can't be read.
        TypeError: this is no picture.
    """
    return Part(name, _content(given), name_of(given), "application/octet-stream")


def name_of(given: GivenImage) -> str:
    """Return the name of a picture's file; ``image`` where it has none."""
    if not isinstance(given, str | os.PathLike):
        given = getattr(given, "filename", None) or getattr(given, "name", None)
    return os.path.basename(os.fspath(given)) if isinstance(given, str | os.PathLike) and given else "image"


def _content(given: GivenImage) -> bytes:
    if isinstance(given, str | os.PathLike):
        return Path(given).read_bytes()
    if isinstance(given, bytes | bytearray | memoryview):
        return bytes(given)
    if isinstance(given, Image.Image):
        return _encoded(given)
    if hasattr(given, "__array_interface__"):
        return _encoded(Image.fromarray(given))
    if hasattr(given, "read"):
        content = given.read()
        if isinstance(content, bytes):
            return content
    raise TypeError(
        f"an image is a path, bytes, a file that is open to read bytes, a Pillow image or an array, not {given!r:.80}"
    )


def _encoded(picture: Image.Image) -> bytes:
    """Return a picture as a PNG; of a mode that PNG lacks, in RGB."""
    buffer = io.BytesIO()
    kept = picture if picture.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else picture.convert("RGB")
    kept.save(buffer, "PNG")
    return buffer.getvalue()
