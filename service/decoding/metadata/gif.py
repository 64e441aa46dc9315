"""GIF: blocks, each a sequence of sub-blocks; metadata are in extensions."""

from __future__ import annotations

from .orientation import UPRIGHT
from .parts import NotUnderstood, Parts

MAGIC = b"GIF8"

_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_CONTROL = 0xF9  # the extension that says what is transparent
_HEAD, _IMAGE_HEAD = 13, 10  # bytes


def strip(data: bytes, orientation: int) -> bytes:
    """Return a GIF without comments, texts and what applications add.

    Raises:
        NotUnderstood: a block is unknown or longer than the file; or the picture isn't upright, which only such an
            application's block could record.
    """
    if orientation != UPRIGHT:
        raise NotUnderstood
    parts, at = Parts(data), _HEAD + _palette_bytes(data[10])
    parts.keep(0, at)
    while at < len(data) and data[at] != _END:
        parts.count()
        start, kind = at, data[at]
        if kind == _IMAGE:
            at = _pieces_end(data, start + _IMAGE_HEAD + _palette_bytes(data[start + _IMAGE_HEAD - 1]) + 1)
        elif kind == _EXTENSION:
            at = _pieces_end(data, start + 2)
        else:
            raise NotUnderstood
        if kind == _IMAGE or data[start + 1] == _CONTROL:
            parts.keep(start, at)
    if at < len(data):
        parts.keep(at, at + 1)
    else:
        parts.add(bytes((_END,)))
    return parts.join()


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _pieces_end(data: bytes, at: int) -> int:
    """Return the end of a row of pieces; an `IndexError` where the file ends before."""
    while size := data[at]:
        at += 1 + size
    return at + 1
