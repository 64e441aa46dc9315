"""Targets at a place of the image, as people write them: ``dog at 40, 60, 320, 400``."""

from __future__ import annotations

import re
from typing import Any

ITS_PIXELS = "its pixels"
_NUMBER = r"-?\d+(?:\.\d+)?"
_BOX = rf"{_NUMBER}(?:\s*,\s*{_NUMBER}){{3}}"
_DETECTION = re.compile(rf"(?:(?P<label>.+?)\s+)?at\s+(?P<box>{_BOX})")
_SEGMENT = re.compile(rf"(?P<label>.+?)\s+within\s+(?P<within>{_BOX}|target_mask|{ITS_PIXELS})")


def place_target(given: str) -> dict[str, Any] | None:
    """Return the box or the segment that a text asks for, its class in words; None for another target.

    ``dog at 40, 60, 320, 400`` and ``at 40, 60, 320, 400`` are boxes; ``dog within 40, 60, 320, 400``, ``dog within
    target_mask`` and ``dog within its pixels`` are segments.
    """
    if found := _DETECTION.fullmatch(given.strip()):
        return {"box": _numbers(found["box"]), "label": found["label"]}
    if found := _SEGMENT.fullmatch(given.strip()):
        within = found["within"]
        named = {ITS_PIXELS: None, "target_mask": within}
        return {"segment": found["label"], "within": named[within] if within in named else _numbers(within)}
    return None


def _numbers(box: str) -> list[float]:
    return [float(edge) for edge in box.split(",")]
