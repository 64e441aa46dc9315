"""Chunks: rows divided evenly."""

from __future__ import annotations

import math
from collections.abc import Sequence


def even_length(count: int, most: int) -> int:
    """Return the length of as few chunks of at most `most` rows as there can be, all about as long."""
    return math.ceil(count / math.ceil(count / most))


def even_chunks(rows: Sequence[int], most: int) -> list[tuple[int, ...]]:
    """Return the rows in such chunks."""
    length = even_length(len(rows), most)
    return [tuple(rows[start : start + length]) for start in range(0, len(rows), length)]
