"""JPEG: segments by their markers, the compressed picture after each start of a scan."""

from __future__ import annotations

import re

from .orientation import UPRIGHT, exif_of
from .parts import NotUnderstood, Parts

MAGIC = b"\xff\xd8\xff"

_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_ALONE = (0x01, *range(0xD0, 0xD8))  # markers without a length; those of restarts
_FIRST_OF_PICTURES = 0xC0  # below are reserved ones
_MARKER = re.compile(rb"\xff[^\x00\xff]")  # decoders skip what stands before one
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JFIF_BYTES, _ADOBE_BYTES = 14, 12  # of their segments, without what may follow


def strip(data: bytes, orientation: int) -> bytes:
    """Return a JPEG whose only metadata are its colour profile and an orientation other than `UPRIGHT`.

    What follows the picture goes too: the further pictures of an MPO, a phone's film.

    Raises:
        NotUnderstood: a marker that has no place in a picture, or a segment longer than the file.
    """
    parts, at = Parts(data), 2
    parts.keep(0, at)
    if orientation != UPRIGHT:
        exif = b"Exif\0\0" + exif_of(orientation)
        parts.add(_segment(_APP1, exif))
    while marker := _MARKER.search(data, at):
        parts.count()
        start, code = marker.start(), data[marker.end() - 1]
        if code == _EOI:
            parts.keep(start, start + 2)
            break
        if code in _ALONE:
            at = start + 2
            continue
        at = _segment_end(data, start)
        if code == _SOS:
            end = _SCAN_END.search(data, at)
            at = end.start() if end else len(data)
        _keep(parts, data, start, at)
    return parts.join()


def _segment_end(data: bytes, start: int) -> int:
    code, size = data[start + 1], int.from_bytes(data[start + 2 : start + 4])
    end = start + 2 + size
    if code < _FIRST_OF_PICTURES or code > _COM or code == _SOI or size < 2 or end > len(data):
        raise NotUnderstood
    return end


def _keep(parts: Parts, data: bytes, start: int, end: int) -> None:
    """Keep a segment, or as much of it as the picture needs."""
    code, body = data[start + 1], start + 4
    if not (_APP0 <= code <= _APP15 or code == _COM):
        parts.keep(start, end)
    elif code == _APP0 and data.startswith(b"JFIF\0", body) and end - body >= _JFIF_BYTES:
        jfif = data[body : body + _JFIF_BYTES - 2] + b"\0\0"  # no thumbnail
        _keep_or_add(parts, data, start, end, _segment(code, jfif))
    elif code == _APP14 and data.startswith(b"Adobe", body) and end - body >= _ADOBE_BYTES:
        _keep_or_add(parts, data, start, end, _segment(code, data[body : body + _ADOBE_BYTES]))
    elif code == _APP2 and data.startswith(b"ICC_PROFILE\0", body):
        parts.keep(start, end)


def _keep_or_add(parts: Parts, data: bytes, start: int, end: int, new: bytes) -> None:
    if data[start:end] == new:
        parts.keep(start, end)
    else:
        parts.add(new)


def _segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(body) + 2).to_bytes(2) + body
