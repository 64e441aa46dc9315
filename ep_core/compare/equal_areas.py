"""Check of a comparison's curves: whether extremal masks have the same areas as the other methods' masks."""

from __future__ import annotations

from collections.abc import Sequence

from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.specs import EXTREMAL
from ep_core.schemas.warnings import ResultWarning

from .comparison import Answer

KIND = "areas"

NOTICEABLE = 0.005
"""Share of the image by which areas have to differ for a warning."""


def unequal_areas(answers: Sequence[Answer]) -> tuple[ResultWarning, ...]:
    """Return a warning where extremal masks are larger or smaller than the others beside them in the curves."""
    ours = next((one for one in answers if one.method == EXTREMAL), None)
    other = next((one for one in answers if one.method != EXTREMAL), None)
    if ours is None or other is None:
        return ()
    found = [_beside(one, two) for one, two in zip(ours.curve, other.curve, strict=True) if _differ(one, two)]
    if not found:
        return ()
    detail = (
        f"masks of `extremal` and of the other methods cover different shares of the image: {'; '.join(found)}; "
        "`extremality` compares at equal areas, the curves don't; use the preset 'fast', whose areas are exact"
    )
    return (ResultWarning(kind=KIND, detail=detail),)


def _differ(ours: CurvePoint, other: CurvePoint) -> bool:
    return abs(ours.measured_area - other.measured_area) > NOTICEABLE


def _beside(ours: CurvePoint, other: CurvePoint) -> str:
    return f"{ours.measured_area:.1%} and {other.measured_area:.1%} at {ours.area:.1%}"
