"""Layouts of masks: one value per pixel, or one per channel. Imports no torch."""

from __future__ import annotations

from enum import Enum


class MaskLayout(Enum):
    """The values that a mask has."""

    SPATIAL = "spatial"
    """One per pixel of the frame: 1 x H x W (section 3)."""
    CHANNEL = "channel"
    """One per channel of a layer, the same everywhere: K x 1 x 1 (section 5)."""
