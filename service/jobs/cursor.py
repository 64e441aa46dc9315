"""Cursors: the end of a page of jobs, as an opaque text."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from ep_core.errors import InvalidInput
from worker.broker.index import Place

_PLACE = re.compile(r"(\d{1,17}) ([0-9a-f]{32})")


def as_cursor(place: Place) -> str:
    """Return a place as a cursor: letters, digits, ``-`` and ``_``."""
    return urlsafe_b64encode(f"{place.created_us} {place.job_id}".encode()).rstrip(b"=").decode()


def from_cursor(cursor: str) -> Place:
    """Return the place that a cursor names.

    Raises:
        InvalidInput: it isn't one of ours.
    """
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    match = _PLACE.fullmatch(text)
    if match is None:
        raise InvalidInput("this is no cursor of ours: follow a page's `next`, or leave it out", field="cursor")
    return Place(int(match[1]), match[2])
