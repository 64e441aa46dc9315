"""Pictures inside of a page, which then needs no files beside it."""

from __future__ import annotations

import io
from base64 import b64encode

from PIL import Image

QUALITY = 82


def data_url(data: bytes, media_type: str) -> str:
    """Return a file as a ``data:`` URL."""
    return f"data:{media_type};base64,{b64encode(data).decode()}"


def smaller(picture: Image.Image, side: int) -> Image.Image:
    """Return a picture in RGB whose longer side has at most `side` pixels."""
    small = picture.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return small


def thumbnail(picture: Image.Image, side: int) -> bytes:
    """Return a picture as a JPEG whose longer side has at most `side` pixels."""
    buffer = io.BytesIO()
    smaller(picture, side).save(buffer, format="JPEG", quality=QUALITY)
    return buffer.getvalue()


def thumbnail_url(picture: Image.Image, side: int) -> str:
    """Return a picture as a ``data:`` URL of such a JPEG."""
    return data_url(thumbnail(picture, side), "image/jpeg")
