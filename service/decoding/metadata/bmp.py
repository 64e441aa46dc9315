"""BMP: a header and the picture, and no place for metadata."""

from __future__ import annotations

MAGIC = b"BM"


def strip(data: bytes, _: int) -> bytes:
    """Return a BMP without what follows its end, as its head has it."""
    return data[: int.from_bytes(data[2:6], "little") or None]
