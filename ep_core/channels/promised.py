"""Warnings of channel masks that miss what their preset promises. Those of `fast` hold their counts exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from ep_core.promises import Measured, off_area, too_grey
from ep_core.result_warning import ResultWarning
from ep_core.spec import Preset

from .report import ChannelPoint
from .rules import ITERATIONS

SLACK = 0.5
"""Channels by which any mask may miss its count: few channels make a coarse scale."""


def of_curve(curve: Iterable[ChannelPoint], channels: int) -> list[Measured]:
    """Return the masks of a sweep's counts, measured, at a layer of so many channels."""
    return [_measured(point.area, point.measured_area, point.binariness, channels) for point in curve]


def of_optimal(masks: Iterable[tuple[Tensor, int | None]]) -> list[Measured]:
    """Return the optimal masks of several images, measured: K values each, and a*, None where there is none."""
    return [
        _measured(count, float(mask.sum()), float((mask * (1 - mask)).mean()), len(mask), f"image {k}")
        for k, (mask, count) in enumerate(masks)
        if count is not None
    ]


def channel_warnings(masks: Sequence[Measured], preset: Preset, iterations: int | None) -> tuple[ResultWarning, ...]:
    """Return what the masks of a result miss, found in so many iterations (None: the preset's own)."""
    own = ITERATIONS[preset]
    more = f"More than {iterations} iterations help (the preset's own are {own}). " if (iterations or own) < own else ""
    advice = f"{more}Masks of preset 'fast' are ones and zeros, of exactly as many channels as asked for."
    return (*off_area(masks, preset, advice=advice), *too_grey(masks, preset, advice=advice))


def _measured(count: int, mass: float, binariness: float, channels: int, block: str = "") -> Measured:
    return Measured(count / channels, mass / channels, binariness, SLACK / channels, whole=channels, block=block)
