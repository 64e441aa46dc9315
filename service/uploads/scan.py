"""Bytes of a JSON text that are no image, counted before it is parsed: a million numbers make a million errors."""

from __future__ import annotations

import re

LONG = 1024
"""Bytes of a string from which it is taken for an image in base64."""
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)  # possessive: no text makes it go back


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
        string = _STRING.match(text, start)
        if string is None:  # it doesn't end
            return other + len(text) - start
        position = string.end()
        other += position - start if position - start < LONG else 0
    return other
