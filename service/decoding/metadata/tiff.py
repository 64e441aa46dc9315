"""TIFF: a table of tags and the data they point to. Other bytes can't be recognised, so the file is built anew."""

from __future__ import annotations

import struct
from itertools import accumulate
from typing import Literal, NamedTuple

from .orientation import TAG as ORIENTATION
from .orientation import UPRIGHT
from .parts import NotUnderstood

MAGICS = (b"II*\0", b"MM\0*")

Order = Literal["little", "big"]

_LAYOUT = (256, 257, 258, 259, 262, 266, 277, 278, 284, 322, 323)  # size, samples, compression, strips or tiles
_DECODING = (292, 293, 317, 320, 332, 338, 339, 347)  # options, predictor, palette, inks, kinds of samples, tables
_COLOURS = (282, 283, 296, 529, 530, 531, 532, 34675)  # and the resolution
_KEPT = {*_LAYOUT, *_DECODING, *_COLOURS}
_OFFSETS = {273: 279, 324: 325}  # the tag with the places of strips or tiles, and that with their bytes
_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SHORT, _LONG = 3, 4
_HEAD, _ENTRY = 8, 12  # bytes


class _Entry(NamedTuple):
    """A tag's type, how many items it has, and their bytes."""

    kind: int
    items: int
    value: bytes


def strip(data: bytes, orientation: int) -> bytes:
    """Return a TIFF of the first picture alone, with the tags that decoding and colours need, and an orientation.

    Raises:
        NotUnderstood: the table, or what it points to, is longer than the file; a tag comes twice; or the places of
            the strips or tiles are missing.
    """
    order: Order = "little" if data.startswith(b"II") else "big"
    table = _read_table(data, order)
    places = next((tag for tag in _OFFSETS if tag in table), None)
    if places is None or _OFFSETS[places] not in table:
        raise NotUnderstood
    pieces = _pieces(data, _numbers(table[places], order), _numbers(table[_OFFSETS[places]], order))
    kept = {tag: entry for tag, entry in table.items() if tag in _KEPT}
    kept[_OFFSETS[places]] = _longs([len(piece) for piece in pieces], order)
    if orientation != UPRIGHT:
        kept[ORIENTATION] = _Entry(_SHORT, 1, orientation.to_bytes(2, order))
    return _write(data[:4], kept, places, pieces, order)


def _read_table(data: bytes, order: Order) -> dict[int, _Entry]:
    start = _number(data, 4, 4, order)
    table: dict[int, _Entry] = {}
    for k in range(_number(data, start, 2, order)):
        at = start + 2 + k * _ENTRY
        tag, kind = _number(data, at, 2, order), _number(data, at + 2, 2, order)
        if tag not in _KEPT and tag not in _OFFSETS and tag not in _OFFSETS.values():
            continue
        count = _number(data, at + 4, 4, order)
        size = count * _BYTES_OF_TYPE.get(kind, 0)
        value = at + 8 if size <= 4 else _number(data, at + 8, 4, order)
        if tag in table or not size or value + size > len(data):
            raise NotUnderstood
        table[tag] = _Entry(kind, count, data[value : value + size])
    return table


def _pieces(data: bytes, starts: list[int], sizes: list[int]) -> list[memoryview]:
    """Return the strips or tiles; together they are no longer than the file."""
    ends = [start + size for start, size in zip(starts, sizes, strict=False)]
    if len(starts) != len(sizes) or sum(sizes) > len(data) or max(ends) > len(data):
        raise NotUnderstood
    view = memoryview(data)
    return [view[start:end] for start, end in zip(starts, ends, strict=True)]


def _write(magic: bytes, kept: dict[int, _Entry], places: int, pieces: list[memoryview], order: Order) -> bytes:
    """Return the file: the head, the table, the values that don't fit into it, the strips or tiles."""
    kept[places] = _longs([0] * len(pieces), order)
    values_at = _HEAD + 2 + len(kept) * _ENTRY + 4
    pieces_at = values_at + sum(len(_beside(entry)) for entry in kept.values())
    kept[places] = _longs(list(accumulate(map(len, pieces[:-1]), initial=pieces_at)), order)
    table, values = len(kept).to_bytes(2, order), b""
    for tag, entry in sorted(kept.items()):
        table += tag.to_bytes(2, order) + entry.kind.to_bytes(2, order) + entry.items.to_bytes(4, order)
        beside = _beside(entry)
        table += (values_at + len(values)).to_bytes(4, order) if beside else entry.value.ljust(4, b"\0")
        values += beside
    return b"".join([magic, _HEAD.to_bytes(4, order), table, bytes(4), values, *pieces])


def _beside(entry: _Entry) -> bytes:
    """Return what of a value lies outside of the table, of an even length."""
    return entry.value + bytes(len(entry.value) % 2) if len(entry.value) > 4 else b""


def _longs(numbers: list[int], order: Order) -> _Entry:
    packed = struct.pack(f"{'<' if order == 'little' else '>'}{len(numbers)}I", *numbers)
    return _Entry(_LONG, len(numbers), packed)


def _numbers(entry: _Entry, order: Order) -> list[int]:
    if entry.kind not in (_SHORT, _LONG):
        raise NotUnderstood
    letter = "H" if entry.kind == _SHORT else "I"
    return list(struct.unpack(f"{'<' if order == 'little' else '>'}{entry.items}{letter}", entry.value))


def _number(data: bytes, at: int, size: int, order: Order) -> int:
    found = data[at : at + size]
    if len(found) < size:
        raise NotUnderstood
    return int.from_bytes(found, order)
