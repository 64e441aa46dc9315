"""Parts of a file that are kept when its metadata are removed."""

from __future__ import annotations

MOST_PARTS = 100_000
"""Far more than files have that somebody made: of those with millions of empty parts, each costs time."""


class NotUnderstood(Exception):
    """The file isn't built as its format says, has a rare form that isn't rewritten here, or far too many parts."""


class Parts:
    """Ranges of a file, and new bytes between them; ranges that touch are one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parts: list[tuple[int, int] | bytes] = []
        self._read = 0

    def count(self) -> None:
        """Count a part that is read; raises `NotUnderstood` where there are more than `MOST_PARTS`."""
        self._read += 1
        if self._read > MOST_PARTS:
            raise NotUnderstood

    def keep(self, start: int, end: int) -> None:
        """Append the file's bytes from `start` up to `end`."""
        last = self._parts[-1] if self._parts else b""
        if isinstance(last, tuple) and last[1] == start:
            self._parts[-1] = (last[0], end)
        else:
            self._parts.append((start, end))

    def add(self, new: bytes) -> None:
        """Append bytes that aren't the file's."""
        self._parts.append(new)

    def join(self) -> bytes:
        """Return all parts as one file; the very same object where nothing was left out."""
        if self._parts == [(0, len(self._data))]:
            return self._data
        view = memoryview(self._data)
        return b"".join(part if isinstance(part, bytes) else view[slice(*part)] for part in self._parts)
