"""Boxes, which AVIF and JPEG 2000 files are made of: each has its length, its kind and its content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .parts import MOST_PARTS, NotUnderstood


class Box(NamedTuple):
    """A box of a file."""

    kind: bytes
    at: int
    """Offset of its length."""
    start: int
    """Offset of its content."""
    end: int


def boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    """Yield the boxes that follow each other between two places of a file.

    Raises:
        NotUnderstood: one is longer than there is room for it, or there are more than `MOST_PARTS`.
    """
    for _ in range(MOST_PARTS):
        if at >= end:
            return
        size, head = int.from_bytes(data[at : at + 4]), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        following = at + size if size else end  # the last one may have no length
        if following > end or following < at + head:
            raise NotUnderstood
        yield Box(data[at + 4 : at + 8], at, at + head, following)
        at = following
    raise NotUnderstood
