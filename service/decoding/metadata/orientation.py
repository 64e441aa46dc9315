"""Orientation: the one piece of metadata that a picture is displayed by."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from ep_core.pictures.decoding import FORMATS

UPRIGHT = 1
TAG = 0x0112  # of EXIF and TIFF


def orientation_of(data: bytes) -> int:
    """Return how a picture has to be turned, 1 to 8 as EXIF says; `UPRIGHT` also where that can't be read."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            found = image.getexif().get(TAG, UPRIGHT)
    except Exception:  # as `read_image` takes it: a picture with broken metadata is shown as it is stored
        return UPRIGHT
    return int(found) if found in range(UPRIGHT, 9) else UPRIGHT


def exif_of(orientation: int) -> bytes:
    """Return an EXIF block, a TIFF header first, with nothing but the orientation."""
    exif = Image.Exif()
    exif[TAG] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")
