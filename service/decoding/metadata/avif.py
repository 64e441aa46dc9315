"""AVIF: boxes that name places in the file. What isn't the picture's is overwritten, so that all places stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from .orientation import exif_of
from .parts import MOST_PARTS, NotUnderstood

MAGICS = (b"ftypavif", b"ftypmif1")
"""After the first four bytes."""

_TOP_KEPT = (b"ftyp", b"meta", b"mdat")
_PICTURES = (b"av01", b"grid", b"iden", b"iovl", b"tmap")
_EXIF = b"Exif"
_FULL = 4  # bytes of version and flags before the content of some boxes


class _Box(NamedTuple):
    """A box: its kind, and where its content lies in the file."""

    kind: bytes
    start: int
    end: int


class _Fields:
    """Numbers that follow each other in the file."""

    def __init__(self, data: bytes, box: _Box) -> None:
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
    """Return an AVIF with its metadata overwritten: EXIF by one that says nothing but an orientation, others by zeros.

    Raises:
        NotUnderstood: it is an animation, or isn't built as expected.
    """
    boxes = list(_top_boxes(data))
    new = bytearray(data[: boxes[-1].end])
    for box in boxes:
        if box.kind == b"moov":
            raise NotUnderstood
        if box.kind not in _TOP_KEPT:
            _overwrite(new, box.start, box.end)
    meta = _only(boxes, b"meta")
    inner = list(_boxes(data, meta.start + _FULL, meta.end))
    others = {item: kind for item, kind in _items(data, _only(inner, b"iinf")) if kind not in _PICTURES}
    exif = bytes(4) + exif_of(orientation)  # a length first, of what is before it
    for item, method, start, end in _places(data, _only(inner, b"iloc")):
        if item in others:
            offset = {0: 0, 1: next((box.start for box in inner if box.kind == b"idat"), len(data))}.get(
                method, len(data)
            )
            _overwrite(new, offset + start, offset + end, exif if others[item] == _EXIF else b"")
    return bytes(new)


def _overwrite(new: bytearray, start: int, end: int, said: bytes = b"") -> None:
    if end > len(new) or end - start < len(said):
        raise NotUnderstood
    new[start:end] = said.ljust(end - start, b"\0")


def _top_boxes(data: bytes) -> Iterator[_Box]:
    """Yield the boxes up to what is none: something was appended there."""
    with suppress(NotUnderstood):
        yield from _boxes(data, 0, len(data))


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    for _ in range(MOST_PARTS):
        if at >= end:
            return
        size, head = int.from_bytes(data[at : at + 4]), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        following = at + size if size else end
        if following > end or following < at + head:
            raise NotUnderstood
        yield _Box(data[at + 4 : at + 8], at + head, following)
        at = following
    raise NotUnderstood


def _only(boxes: list[_Box], kind: bytes) -> _Box:
    found = [box for box in boxes if box.kind == kind]
    if len(found) != 1:
        raise NotUnderstood
    return found[0]


def _items(data: bytes, box: _Box) -> Iterator[tuple[int, bytes]]:
    """Yield the items' numbers and kinds."""
    fields = _Fields(data, box)
    version = fields.number(_FULL) >> 24
    fields.number(2 if version == 0 else 4)
    for entry in _boxes(data, box.start + _FULL + (2 if version == 0 else 4), box.end):
        one = _Fields(data, entry)
        form = one.number(_FULL) >> 24
        if entry.kind != b"infe" or form not in (2, 3):
            raise NotUnderstood
        item = one.number(2 if form == 2 else 4)
        one.number(2)
        yield item, one.bytes(4)


def _places(data: bytes, box: _Box) -> Iterator[tuple[int, int, int, int]]:
    """Yield each extent of each item: its item, how its place is meant, and its start and end there."""
    fields = _Fields(data, box)
    version = fields.number(_FULL) >> 24
    sizes = fields.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(fields.number(2 if version < 2 else 4)):
        item = fields.number(2 if version < 2 else 4)
        method = fields.number(2) & 15 if version else 0
        fields.number(2)
        base = fields.number(base_size)
        for _ in range(fields.number(2)):
            fields.number(index_size if version else 0)
            start = base + fields.number(offset_size)
            yield item, method, start, start + fields.number(length_size)
