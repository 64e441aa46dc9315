"""PNG: chunks, each with its length, its name and a checksum."""

from __future__ import annotations

import zlib

from .orientation import UPRIGHT, exif_of
from .parts import NotUnderstood, Parts

MAGIC = b"\x89PNG\r\n\x1a\n"

_PICTURE = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sBIT", b"bKGD", b"hIST", b"pHYs")
_COLOURS = (b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI")
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")  # one of a single frame is a picture
_KEPT = {*_PICTURE, *_COLOURS, *_ANIMATION}
_AROUND = 12  # bytes of a chunk beside its content


def strip(data: bytes, orientation: int) -> bytes:
    """Return a PNG whose only metadata are how to show its colours, its resolution and an orientation.

    Raises:
        NotUnderstood: a chunk is longer than the file, or there is no last one.
    """
    parts, at, name = Parts(data), len(MAGIC), b""
    parts.keep(0, at)
    while name != b"IEND":
        parts.count()
        start, name = at, data[at + 4 : at + 8]
        at = start + int.from_bytes(data[start : start + 4]) + _AROUND
        if at > len(data) or not name:
            raise NotUnderstood
        if name in _KEPT:
            parts.keep(start, at)
        if name == b"IHDR" and orientation != UPRIGHT:
            parts.add(_chunk(b"eXIf", exif_of(orientation)))
    return parts.join()


def _chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + name + content + zlib.crc32(name + content).to_bytes(4)
