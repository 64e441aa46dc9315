"""JPEG 2000: boxes around a codestream, or the codestream alone."""

from __future__ import annotations

from .boxes import boxes
from .orientation import UPRIGHT
from .parts import NotUnderstood, Parts

CODESTREAM_MAGIC = b"\xff\x4f\xff\x51"
MAGIC = b"\0\0\0\x0cjP  \r\n\x87\n"

_HEADER = b"jp2h"
_KEPT = (b"jP  ", b"ftyp", _HEADER)
_HEADERS = (b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"res ")
_CODESTREAM = b"jp2c"
_COMMENT, _TILE, _TILE_DATA, _END = 0xFF64, 0xFF90, 0xFF93, 0xFFD9
_MARKER = 2  # bytes
_HEAD = 8  # bytes of a box before its content


def strip(data: bytes, orientation: int) -> bytes:
    """Return a JPEG 2000 without comments, and with no boxes but those that its picture needs.

    Raises:
        NotUnderstood: a box, a tile or a segment is longer than the file, or there is no end; a tile has comments; or
            the picture isn't upright, which only such a box could record.
    """
    if orientation != UPRIGHT:
        raise NotUnderstood
    if data.startswith(CODESTREAM_MAGIC):
        return _without_comments(data)
    parts = Parts(data)
    for box in boxes(data, 0, len(data)):
        if box.kind == _HEADER and any(part.kind not in _HEADERS for part in boxes(data, box.start, box.end)):
            raise NotUnderstood
        if box.kind in _KEPT:
            parts.keep(box.at, box.end)
        elif box.kind == _CODESTREAM:
            stream = _without_comments(data[box.start : box.end])
            parts.add((len(stream) + _HEAD).to_bytes(4) + _CODESTREAM + stream)
    return parts.join()


def _without_comments(stream: bytes) -> bytes:
    """Return a codestream up to its end, whose main header has no comments; all other lengths in it are relative."""
    parts, at = Parts(stream), _MARKER
    parts.keep(0, at)
    while (code := _marker(stream, at)) != _TILE:
        parts.count()
        end = _segment_end(stream, at)
        if code != _COMMENT:
            parts.keep(at, end)
        at = end
    parts.keep(at, _tiles_end(stream, at, parts))
    return parts.join()


def _tiles_end(stream: bytes, at: int, parts: Parts) -> int:
    """Return the end of the codestream, whose first tile begins at a place; its tiles' headers have no comments."""
    while (code := _marker(stream, at)) == _TILE:
        start, size = at, int.from_bytes(stream[at + 6 : at + 10])
        while (code := _marker(stream, at)) != _TILE_DATA:
            parts.count()
            if code == _COMMENT:
                raise NotUnderstood
            at = _segment_end(stream, at)
        at = start + size if size else stream.find(_END.to_bytes(_MARKER), at)  # none of these in a tile's data
        if not start < at <= len(stream):
            raise NotUnderstood
    if code != _END:
        raise NotUnderstood
    return at + _MARKER


def _segment_end(stream: bytes, at: int) -> int:
    end = at + _MARKER + int.from_bytes(stream[at + 2 : at + 4])
    if end > len(stream) or end < at + 4:
        raise NotUnderstood
    return end


def _marker(stream: bytes, at: int) -> int:
    return int.from_bytes(stream[at : at + _MARKER])
