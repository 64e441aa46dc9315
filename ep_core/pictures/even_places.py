"""Some of many things, at even distances."""

from __future__ import annotations


def even_places(count: int, most: int) -> list[int]:
    """Return the places of things that are shown: all of them, or of more than `most` as many at even distances."""
    if count <= most:
        return list(range(count))
    return sorted({round(k * (count - 1) / (most - 1)) for k in range(most)})
