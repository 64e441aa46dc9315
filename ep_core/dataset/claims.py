"""Claims: each content of a dataset is explained by one of those who work on it. Imports no torch."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol


class Claim(StrEnum):
    """Answer to who would explain a content."""

    YOURS = "yours"
    KNOWN = "known"
    """It is explained already, or on its way for another image."""
    AGAIN = "again"
    """It was this image's before, and whoever had it may have come to its end, or not."""


class Claims(Protocol):
    """Register of who explains what."""

    def take(self, digest: str, place: int) -> Claim:
        """Claim a content.

        Args:
            digest: of the content.
            place: of the image in the dataset's listing.
        """


class ClaimsHere:
    """Register of claims, for the threads of a process; as a Ray actor, for those of a cluster."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """Start with the digests that are explained already."""
        self._owners: dict[str, int | None] = dict.fromkeys(known)
        self._lock = threading.Lock()

    def take(self, digest: str, place: int) -> Claim:
        """Claim a content: see `Claims`."""
        with self._lock:
            if digest not in self._owners:
                self._owners[digest] = place
                return Claim.YOURS
            return Claim.AGAIN if self._owners[digest] == place else Claim.KNOWN
