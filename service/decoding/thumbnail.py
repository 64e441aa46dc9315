"""Thumbnail of a posted image: a small JPEG of the part that the engine uses. Knows nothing of HTTP."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from ep_core.pictures.decoding import Behind, read_image

LEAST, MOST = 16, 2048
"""Pixels of the longer side that can be requested."""
MEDIA_TYPE = "image/jpeg"

_FEW = 256  # up to so many pixels, nobody sees a coarser JPEG
_COARSE: dict[str, Any] = {"quality": 80}
_FINE: dict[str, Any] = {"quality": 90, "subsampling": "4:4:4"}
_GAP = 2.0  # pixels decoded per pixel shown, in each direction: fewer blur, more cost time


def make_thumbnail(
    data: bytes,
    size: int,
    *,
    max_pixels: int,
    white_level: int | None = None,
    behind: Behind = "white",
) -> bytes:
    """Return a JPEG of the picture in `data`: upright, without the file's metadata.

    Args:
        data: a file that `read_image` takes.
        size: pixels of the longer side; of a smaller picture, all that it has.
        max_pixels: most pixels of the file.
        white_level: the sample value that is white, as for `read_image`.
        behind: what transparent parts lie on.

    Raises:
        UnreadableImage: as for `read_image`.
        ImageTooLarge: the same.
    """
    enough = round(size * _GAP)
    image = read_image(data, max_pixels=max_pixels, enough=enough, white_level=white_level, behind=behind)
    image.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=_GAP)
    buffer = io.BytesIO()
    detail = _COARSE if size <= _FEW else _FINE
    image.save(buffer, "JPEG", comment=b"", **detail)  # else the file's own comment goes along
    return buffer.getvalue()
