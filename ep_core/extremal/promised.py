"""Warnings of masks beyond the tolerances of their preset, each with what to change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from ep_core.masks.cells import FULL_SIDE, spot_area
from ep_core.masks.scores import binariness
from ep_core.optimiser.presets import SPATIAL_PRESETS
from ep_core.optimiser.presets.promises import KINDS, Measured, more_iterations, off_area, too_grey
from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.specs import SpatialSpec
from ep_core.schemas.warnings import ResultWarning

SLACK = 2e-4
"""Share of the frame that any mask may be off by: more than searches for areas leave."""


def slack_of(patches: tuple[int, int] | None) -> float:
    """Return the share of the frame that a mask may be off by: half a patch, where masks are of whole ones."""
    return SLACK if patches is None else SLACK + 0.5 / (patches[0] * patches[1])


def of_curve(curve: Iterable[CurvePoint], slack: float = SLACK) -> list[Measured]:
    """Return the masks of a sweep's areas, measured."""
    return [Measured(point.area, point.measured_area, point.binariness, slack) for point in curve]


def of_block(mask: Tensor, area: float, block: str, slack: float = SLACK) -> Measured:
    """Return the mask (1 x H x W) of a block of the result, measured."""
    return Measured(area, float(mask.mean()), float(binariness(mask.flatten())), slack, block=block)


def mask_warnings(masks: Sequence[Measured], spec: SpatialSpec, size: tuple[int, int]) -> tuple[ResultWarning, ...]:
    """Return warnings of the masks of a result.

    Args:
        masks: of the result.
        spec: as run.
        size: height and width of the frame, in pixels.
    """
    preset = SPATIAL_PRESETS[spec.preset]
    return (
        *off_area(masks, preset, advice=_area_advice(spec)),
        *too_grey(masks, preset, advice=_binary_advice(spec, size)),
    )


def warned_anew(known: Iterable[ResultWarning], anew: Iterable[ResultWarning]) -> tuple[ResultWarning, ...]:
    """Return a result's known warnings, with those of its masks computed anew."""
    return (*(one for one in known if one.kind not in KINDS), *anew)


def _area_advice(spec: SpatialSpec) -> str:
    preset = SPATIAL_PRESETS[spec.preset]
    if preset.family.largest < 1:
        return f"Ask for areas of {preset.family.largest} at most."
    return f"{more_iterations(spec.iterations, preset)}Preset 'fast' holds areas exactly."


def _binary_advice(spec: SpatialSpec, size: tuple[int, int]) -> str:
    height, width = size
    advice = (
        f"Ask for areas nearer to one half: in a frame of {height} x {width} pixels, a single cell of the masks' "
        f"lattice makes a spot of {spot_area(size):.2g}"
    )
    if min(size) < FULL_SIDE:
        advice += f" (from {FULL_SIDE} x {FULL_SIDE} pixels on, of {spot_area((FULL_SIDE, FULL_SIDE)):.2g})"
    return f"{advice}. {more_iterations(spec.iterations, SPATIAL_PRESETS[spec.preset])}".strip()
