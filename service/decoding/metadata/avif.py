"""AVIF: boxes that hold offsets into the file. All but the picture is overwritten, so that the offsets stay valid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from .boxes import Box, boxes
from .orientation import exif_of
from .parts import MOST_PARTS, NotUnderstood

MAGICS = (b"ftypavif", b"ftypmif1")
"""After the first four bytes."""

_KEPT = (b"ftyp", b"meta", b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp", b"grpl")
"""Boxes of the file, and of its `meta`; the picture itself is put back by the places of its items."""
_PICTURES = (b"av01", b"grid", b"iden", b"iovl", b"tmap")
_EXIF = b"Exif"
_FULL = 4  # bytes of version and flags before the content of some boxes


class _Fields:
    """Numbers that follow each other in the file."""

    def __init__(self, data: bytes, box: Box) -> None:
        self._data, self._at, self._end = data, box.start, box.end

    def bytes(self, count: int) -> bytes:
        """Return the next bytes."""
        found = self._data[self._at : self._at + count]
        self._at += count
        if self._at > self._end:
            raise NotUnderstood
        return found

    def number(self, size: int) -> int:
        """Return the next number, of so many bytes."""
        return int.from_bytes(self.bytes(size))


def strip(data: bytes, orientation: int) -> bytes:
    """Return an AVIF in which nothing but its picture is left, and an EXIF block with nothing but an orientation.

    Raises:
        NotUnderstood: it isn't built as expected.
    """
    outer = list(_top_boxes(data))
    meta = _only(outer, b"meta")
    inner = list(boxes(data, meta.start + _FULL, meta.end))
    kinds = dict(_items(data, _only(inner, b"iinf")))
    origins = {0: 0} | dict(zip((1,), (box.start for box in inner if box.kind == b"idat"), strict=False))
    new = bytearray(data[: outer[-1].end])
    for box in outer + inner:
        if box.kind not in _KEPT:
            new[box.start : box.end] = bytes(box.end - box.start)
    exif = bytes(4) + exif_of(orientation)  # a length first, of what is before it
    for item, method, first, last in _places(data, _only(inner, b"iloc")):
        origin, kind = origins.get(method, len(new)), kinds.get(item)
        start, end = origin + first, origin + last
        if end > len(new) or (kind == _EXIF and end - start < len(exif)):
            raise NotUnderstood
        if kind in _PICTURES:
            new[start:end] = data[start:end]
        elif kind == _EXIF:
            new[start:end] = exif.ljust(end - start, b"\0")
    return bytes(new)


def _top_boxes(data: bytes) -> Iterator[Box]:
    """Yield the boxes up to what is none: something was appended there."""
    with suppress(NotUnderstood):
        yield from boxes(data, 0, len(data))


def _only(boxes: list[Box], kind: bytes) -> Box:
    found = [box for box in boxes if box.kind == kind]
    if len(found) != 1:
        raise NotUnderstood
    return found[0]


def _items(data: bytes, box: Box) -> Iterator[tuple[int, bytes]]:
    """Yield the items' numbers and kinds."""
    fields = _Fields(data, box)
    version = fields.number(_FULL) >> 24
    for entry in boxes(data, box.start + _FULL + (2 if version == 0 else 4), box.end):
        one = _Fields(data, entry)
        form = one.number(_FULL) >> 24
        if entry.kind != b"infe" or form not in (2, 3):
            raise NotUnderstood
        item = one.number(2 if form == 2 else 4)
        one.number(2)
        yield item, one.bytes(4)


def _places(data: bytes, box: Box) -> Iterator[tuple[int, int, int, int]]:
    """Yield each extent of each item: its item, how its place is meant, and its start and end there."""
    fields = _Fields(data, box)
    version = fields.number(_FULL) >> 24
    sizes = fields.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    read = 0
    for _ in range(fields.number(2 if version < 2 else 4)):
        item = fields.number(2 if version < 2 else 4)
        method = fields.number(2) & 15 if version else 0
        fields.number(2)
        base = fields.number(base_size)
        for _ in range(fields.number(2)):
            read += 1
            if read > MOST_PARTS:  # those of no length take no bytes
                raise NotUnderstood
            fields.number(index_size if version else 0)
            start = base + fields.number(offset_size)
            yield item, method, start, start + fields.number(length_size)
