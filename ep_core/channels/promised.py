"""Warnings of channel masks beyond the tolerances of their preset. Those of `fast` hold their counts exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ep_core.masks.scores import binariness
from ep_core.optimiser.presets.preset import ChannelPreset
from ep_core.optimiser.presets.promises import Measured, more_iterations, off_area, too_grey
from ep_core.schemas.reports.channels import ChannelPoint
from ep_core.schemas.warnings import ResultWarning

from .image_channels import ImageChannels

SLACK = 0.5
"""Channels by which any mask may miss its count: few channels make a coarse scale."""


def of_curve(curve: Iterable[ChannelPoint], channels: int) -> list[Measured]:
    """Return the masks of a sweep's counts, measured, at a layer of so many channels."""
    return [_measured(point.area, point.measured_area, point.binariness, channels) for point in curve]


def of_optimal(outcomes: Iterable[ImageChannels], called: Sequence[str]) -> list[Measured]:
    """Return the optimal masks of several images, measured, of those that have one.

    Args:
        outcomes: of the images.
        called: how a message calls them.
    """
    return [
        _measured(one.optimal_area, float(one.mask.sum()), float(binariness(one.mask)), len(one.mask), name)
        for one, name in zip(outcomes, called, strict=True)
        if one.optimal_area is not None
    ]


def channel_warnings(masks: Sequence[Measured], preset: ChannelPreset, iterations: int) -> tuple[ResultWarning, ...]:
    """Return what the masks of a result miss, found in so many iterations."""
    more = more_iterations(iterations, preset)
    advice = f"{more}Masks of preset 'fast' are ones and zeros, of exactly as many channels as asked for."
    return (*off_area(masks, preset, advice=advice), *too_grey(masks, preset, advice=advice))


def _measured(count: int, mass: float, binariness: float, channels: int, block: str = "") -> Measured:
    return Measured(count / channels, mass / channels, binariness, SLACK / channels, whole=channels, block=block)
