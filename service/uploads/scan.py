"""Count of a JSON text's bytes outside image strings, before it is parsed: a million numbers make a million errors."""

from __future__ import annotations

import re

LONG = 1024
"""Bytes of a string from which it is taken for an image in base64."""
SLICE = 256 * 1024
"""Bytes of a string that are scanned in one go: all other threads wait meanwhile."""
_INSIDE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)  # possessive: no text makes it go back


def other_bytes(text: bytes, most: int) -> int:
    """Return the bytes outside of long strings; counted no further than beyond `most`.

    Args:
        text: JSON, or what is sent as such.
        most: where to stop.
    """
    other = position = 0
    while other <= most:
        start = text.find(b'"', position)
        if start < 0:
            return other + len(text) - position
        other += start - position
        end = _end_of_string(text, start)
        if end is None:
            return other + len(text) - start
        other += end - start if end - start < LONG else 0
        position = end
    return other


def _end_of_string(text: bytes, start: int) -> int | None:
    """Return the place behind a string that begins at `start`; None where it doesn't end."""
    position, before = start + 1, start
    while position > before:  # no further: the text ends
        before = position
        position = _match_end(text, position)
        if text[position : position + 1] == b'"':
            return position + 1
    return None


def _match_end(text: bytes, position: int) -> int:
    found = _INSIDE.match(text, position, position + SLICE)
    assert found is not None  # noqa: S101  (it matches nothing, too)
    return found.end()
