"""WebP: chunks inside a RIFF file; one of them lists which others there are."""

from __future__ import annotations

from .orientation import UPRIGHT, exif_of
from .parts import NotUnderstood, Parts

MAGIC = b"RIFF"

_KEPT = (b"VP8 ", b"VP8L", b"ALPH", b"ICCP")
_ANIMATION = (b"ANIM", b"ANMF")
_HAS_EXIF, _HAS_XMP = 0x08, 0x04
_HEAD = 12  # bytes before the first chunk


def strip(data: bytes, orientation: int) -> bytes:
    """Return a WebP whose only metadata are its colour profile and an orientation other than `UPRIGHT`.

    Raises:
        NotUnderstood: a chunk is longer than the file, or it is an animation; or an orientation has no place in it.
    """
    end = 8 + _number(data, 4)
    if data[8:_HEAD] != b"WEBP" or end > len(data):
        raise NotUnderstood
    parts, at, has_place = Parts(data), _HEAD, False
    while at < end:
        parts.count()
        start, name, size = at, data[at : at + 4], _number(data, at + 4)
        if start + 8 + size > end or name in _ANIMATION:
            raise NotUnderstood
        at = min(end, start + 8 + size + size % 2)
        if name in _KEPT:
            parts.keep(start, at)
        elif name == b"VP8X":
            has_place = True
            parts.keep(start, start + 8)
            parts.add(_flags(data[start + 8], orientation))
            parts.keep(start + 9, at)
    if orientation != UPRIGHT:
        if not has_place:
            raise NotUnderstood
        exif = exif_of(orientation)
        parts.add(b"EXIF" + len(exif).to_bytes(4, "little") + exif + bytes(len(exif) % 2))
    chunks = parts.join()
    return MAGIC + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


def _flags(flags: int, orientation: int) -> bytes:
    exif = 0 if orientation == UPRIGHT else _HAS_EXIF
    return bytes((flags & ~(_HAS_EXIF | _HAS_XMP) | exif,))


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
