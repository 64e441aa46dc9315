"""Pictures as files."""

from __future__ import annotations

import io
from base64 import b64decode
from typing import Any

from PIL import Image


def encode(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """Return a picture's file, as Pillow writes it."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def decode(data_url: str) -> Image.Image:
    """Return the picture that a ``data:`` URL holds."""
    return Image.open(io.BytesIO(b64decode(data_url.partition(",")[2], validate=True)))
