"""Masks beside what their preset promises, and the warnings of those that miss it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ep_core.schemas.warnings import ResultWarning

from .preset import MaskPreset, Promise

AREA_MISSED = "area-missed"
NOT_BINARY = "not-binary"
KINDS = (AREA_MISSED, NOT_BINARY)


@dataclass(frozen=True)
class Measured:
    """Mask with its requested and its measured area."""

    area: float
    """Requested share, in (0, 1]."""
    measured_area: float
    """Mean of the mask."""
    binariness: float
    """Mean m(1-m)."""
    slack: float
    """Share of the mask's values below which nothing counts as missed."""
    whole: int = 1
    """The number that an area of 1 stands for: of a mask of channels, how many there are."""
    block: str = ""
    """The block of the result that the mask belongs to; empty for the sweep's own."""

    @property
    def greyness(self) -> float:
        """The binariness as a share of an even grey's."""
        even = self.measured_area * (1 - self.measured_area)
        return self.binariness / even if self.binariness > self.slack else 0.0

    @property
    def words(self) -> str:
        """The requested area, and the measured one."""
        asked, measured = self.whole * self.area, self.whole * self.measured_area
        return f"{asked:g}{f' in {self.block}' if self.block else ''} (measured {measured:.3g})"

    def holds_area(self, promise: Promise) -> bool:
        """Return whether the mask is as large as promised."""
        most = max(promise.area * min(self.area, 1 - self.area), self.slack)
        return abs(self.measured_area - self.area) <= most

    def is_binary(self, promise: Promise) -> bool:
        """Return whether the mask is as binary as promised."""
        return self.binariness <= promise.binariness and self.greyness <= promise.greyness


def more_iterations(given: int | None, preset: MaskPreset) -> str:
    """Return the advice to give more iterations, a sentence and a blank; empty where there were no fewer than usual.

    Args:
        given: that the masks had; None: the preset's own.
        preset: that found them.
    """
    own = preset.iterations
    given = given or own
    return f"More than {given} iterations help (the preset's own are {own}). " if given < own else ""


def off_area(masks: Sequence[Measured], preset: MaskPreset, *, advice: str) -> list[ResultWarning]:
    """Return the warning of those masks that miss their areas; none, where none does.

    Args:
        masks: of a result.
        preset: that found them.
        advice: what to change, a sentence.
    """
    promise = preset.promise
    missed = [one.words for one in masks if not one.holds_area(promise)]
    if not missed:
        return []
    said = f"these areas are missed by more than the {promise.area:.0%} that preset {preset.name!r} promises"
    return [ResultWarning(kind=AREA_MISSED, detail=f"{said}: {', '.join(missed)}. {advice}")]


def too_grey(masks: Sequence[Measured], preset: MaskPreset, *, advice: str) -> list[ResultWarning]:
    """Return the warning of those masks that are greyer than promised; arguments as for `off_area`."""
    promise = preset.promise
    grey = [one for one in masks if not one.is_binary(promise)]
    if not grey:
        return []
    listed = ", ".join(f"{one.words} at {one.greyness:.0%} of an even grey" for one in grey)
    said = f"the masks of these areas are grey, and cut out no region: {listed}"
    limits = (
        f"Preset {preset.name!r} promises {promise.greyness:.0%} and a mean m(1-m) of {promise.binariness:g} at most"
    )
    return [ResultWarning(kind=NOT_BINARY, detail=f"{said}. {limits}. {advice}")]
