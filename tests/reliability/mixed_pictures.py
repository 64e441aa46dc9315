"""Pictures of all formats, modes and sizes that the service takes."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

from PIL import Image

from tests.pictures import encode

ORIENTATION = 0x0112  # EXIF's tag


@cache
def small_pictures() -> dict[str, bytes]:
    """Return files of up to 1.5 megapixels, by name."""
    return {name: make() for name, make in _SMALL.items()}


@cache
def large_pictures() -> dict[str, bytes]:
    """Return files of 6 to 20 megapixels, by name."""
    return {name: make() for name, make in _LARGE.items()}


def _colours(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """Return an image of coarse random colours, so smooth that a large one makes a small file."""
    small = Image.frombytes("RGB", (6, 6), random.Random(sum(size)).randbytes(108))
    return small.resize(size, Image.Resampling.BILINEAR).convert(mode)


def _translucent(size: tuple[int, int], mode: str = "RGBA") -> Image.Image:
    image = _colours(size, mode)
    image.putalpha(Image.linear_gradient("L").resize(size))
    return image


def _sixteen_bits(size: tuple[int, int]) -> Image.Image:
    return _colours(size, "I").point(lambda value: value * 257).convert("I;16")


def _turned(orientation: int, size: tuple[int, int]) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encode(_colours(size), "JPEG", exif=exif)


_SMALL: dict[str, Callable[[], bytes]] = {
    "small.jpg": lambda: encode(_colours((320, 240)), "JPEG"),
    "grey.jpg": lambda: encode(_colours((500, 375), "L"), "JPEG"),
    "cmyk.jpg": lambda: encode(_colours((640, 480), "CMYK"), "JPEG"),
    "progressive.jpg": lambda: encode(_colours((800, 600)), "JPEG", progressive=True),
    "turned.jpg": lambda: _turned(6, (300, 200)),
    "mirrored.jpg": lambda: _turned(5, (1200, 900)),
    "small.png": lambda: encode(_colours((240, 320)), "PNG"),
    "one-pixel.png": lambda: encode(_colours((1, 1)), "PNG"),
    "black-and-white.png": lambda: encode(_colours((400, 300), "1"), "PNG"),
    "palette.png": lambda: encode(_colours((300, 300), "P"), "PNG", transparency=0),
    "grey16.png": lambda: encode(_sixteen_bits((700, 500)), "PNG"),
    "alpha.png": lambda: encode(_translucent((1024, 768)), "PNG"),
    "grey-alpha.png": lambda: encode(_translucent((200, 150), "LA"), "PNG"),
    "wide.png": lambda: encode(_colours((6000, 40)), "PNG"),
    "small.webp": lambda: encode(_colours((333, 251)), "WEBP"),
    "alpha.webp": lambda: encode(_translucent((600, 450)), "WEBP", lossless=True),
    "small.bmp": lambda: encode(_colours((257, 129)), "BMP"),
    "tall.bmp": lambda: encode(_colours((30, 6000)), "BMP"),
    "lzw.tiff": lambda: encode(_colours((1500, 1000)), "TIFF", compression="tiff_lzw"),
    "cmyk.tiff": lambda: encode(_colours((640, 640), "CMYK"), "TIFF"),
    "grey16.tiff": lambda: encode(_sixteen_bits((800, 600)), "TIFF"),
    "palette.gif": lambda: encode(_colours((350, 270), "P"), "GIF"),
}
_LARGE: dict[str, Callable[[], bytes]] = {
    "large.jpg": lambda: encode(_colours((5200, 3900)), "JPEG"),
    "large-turned.jpg": lambda: _turned(8, (4000, 3000)),
    "large-grey16.png": lambda: encode(_sixteen_bits((3000, 2000)), "PNG"),
    "large.webp": lambda: encode(_colours((4000, 3000)), "WEBP", method=0),
    "large.gif": lambda: encode(_colours((3000, 2000), "P"), "GIF"),
}
