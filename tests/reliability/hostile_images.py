"""Image files that cost far more to decode than to send, though each keeps to the limits of bytes and pixels."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache

from PIL import Image

from tests.pictures import encode

SIDE = 7071  # squared, just under 50 megapixels
SCANS_SIDE = 7000
MOST_BYTES = 20_000_000
TIFF_PAGES = 20_000
GIF_FRAMES = 5_000
_SCAN = b"\xff\xda"  # begins a scan of a JPEG; among its data, FF is followed by 00
_JPEG_END = b"\xff\xd9"
_TIFF_TAGS = (
    (256, 4, 1),  # width
    (257, 4, 1),  # height
    (258, 3, 8),  # bits of a sample
    (262, 3, 1),  # black is zero
    (273, 4, 8),  # where the only strip begins
    (279, 4, 1),  # bytes in it
)
_GIF_FRAME = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"


@cache
def scans_jpeg(count: int = 100) -> bytes:
    """Return a progressive JPEG of 49 megapixels whose last scan, of some 75 bytes, comes so many times more.

    Each of them makes a decoder go over all coefficients.
    """
    whole = encode(Image.new("RGB", (SCANS_SIDE, SCANS_SIDE), "teal"), "JPEG", progressive=True)
    last = whole[whole.rindex(_SCAN) : -len(_JPEG_END)]
    return whole.removesuffix(_JPEG_END) + count * last + _JPEG_END


@cache
def full_scans_jpeg() -> bytes:
    """Return the same with as many scans as may be sent: some 260,000."""
    few = scans_jpeg(1)
    scan = len(scans_jpeg(2)) - len(few)
    return scans_jpeg((MOST_BYTES - len(few)) // scan)


@cache
def plain_webp() -> bytes:
    """Return a lossless WebP of 50 megapixels of one colour: 2 kB."""
    return encode(Image.new("RGB", (SIDE, SIDE), "teal"), "WEBP", lossless=True)


@cache
def plain_png() -> bytes:
    """Return a PNG of 50 megapixels of one colour, in full colour: 162 kB."""
    return encode(Image.new("RGB", (SIDE, SIDE), "teal"), "PNG")


@cache
def deep_png() -> bytes:
    """Return a grey PNG of 49 megapixels of 16 bits each: 111 kB."""
    return encode(Image.new("I;16", (SCANS_SIDE, SCANS_SIDE), 4711), "PNG")


@cache
def palette_png() -> bytes:
    """Return a PNG of 50 megapixels of one transparent colour of a palette: 6 kB, in a decoder 200 MB at a time."""
    return encode(Image.new("P", (SIDE, SIDE)), "PNG", transparency=0)


@cache
def pages_tiff(count: int = TIFF_PAGES) -> bytes:
    """Return a TIFF of so many pages of one pixel."""
    pixel = 8
    size = 2 + 12 * len(_TIFF_TAGS) + 4
    parts = [b"II*\0", struct.pack("<I", pixel + 2), b"\xff\0"]
    for page in range(count):
        following = 0 if page == count - 1 else pixel + 2 + (page + 1) * size
        tags = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in _TIFF_TAGS)
        parts.append(struct.pack("<H", len(_TIFF_TAGS)) + tags + struct.pack("<I", following))
    return b"".join(parts)


@cache
def frames_gif(count: int = GIF_FRAMES) -> bytes:
    """Return a GIF of so many frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", SIDE, SIDE, 0x80, 0, 0) + bytes(3) + b"\xff\xff\xff"
    return head + count * _GIF_FRAME + b"\x3b"


@cache
def full_frames_gif() -> bytes:
    """Return a GIF with as many frames as may be sent: some 1.3 million."""
    return frames_gif((MOST_BYTES - len(frames_gif(0))) // len(_GIF_FRAME))


@cache
def cmyk_jpeg() -> bytes:
    """Return a CMYK JPEG of 50 megapixels: 2 MB."""
    return encode(Image.new("CMYK", (SIDE, SIDE), (10, 20, 30, 40)), "JPEG")


@cache
def noise_jpeg() -> bytes:
    """Return a JPEG of 50 megapixels of noise, on its side: 16 MB."""
    on_its_side = Image.Exif()
    on_its_side[0x0112] = 6
    return encode(Image.effect_noise((SIDE, SIDE), 40).convert("RGB"), "JPEG", quality=50, exif=on_its_side)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "scans.jpeg": scans_jpeg,
    "full-scans.jpeg": full_scans_jpeg,
    "plain.webp": plain_webp,
    "plain.png": plain_png,
    "deep.png": deep_png,
    "palette.png": palette_png,
    "pages.tiff": pages_tiff,
    "frames.gif": frames_gif,
    "full-frames.gif": full_frames_gif,
    "cmyk.jpeg": cmyk_jpeg,
    "noise.jpeg": noise_jpeg,
}
"""Makers of the files, by their names."""
