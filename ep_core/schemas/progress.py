"""Progress of a run, and previews of its masks. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from .reports.extremal import PartialPoint
from .reports.subject import Subject

if TYPE_CHECKING:
    from torch import Tensor


SweepStage = Literal["walks", "masks", "rivals", "contrast", "alternatives"]
"""Stage of a sweep: coarse masks of all areas, masks optimised at their areas, then the further blocks, as wanted."""


class Seen(Protocol):
    """Views of the masks that are being optimised."""

    def points(self, image: int) -> list[PartialPoint]:
        """Return the best score so far of each area that is being optimised, by increasing area."""

    def previews(self, image: int) -> dict[float, Tensor]:
        """Return the best mask so far of each such area, about as it is: H x W in [0, 1]; nothing for channels."""


@dataclass(frozen=True)
class Standing:
    """State of a run, besides its masks and its progress."""

    stage: str | None = None
    """Of a sweep: a `SweepStage`. Of a comparison: the method that runs, then `scoring`."""
    subjects: Sequence[Subject] = ()
    """Of the images that are worked on."""
    maps: Mapping[str, Tensor] = field(default_factory=dict)
    """H x W each: those of a comparison's methods that have ended, by name."""


class Progress:
    """Progress of a run, given to `on_progress` after every round of steps, and as a stage begins.

    Attributes:
        iteration, total: steps of all masks together, and of what else there is to do.
        standing: what else is known.
        stepping_since: the time at which the first step of masks began, in seconds since the epoch; None until then.
    """

    def __init__(
        self,
        iteration: int,
        total: int,
        seen: Seen | None = None,
        standing: Standing | None = None,
        stepping_since: float | None = None,
    ) -> None:
        """Set a run's state after `iteration` of `total` iterations; `seen` shows the masks, while there are any."""
        self.iteration = iteration
        self.total = total
        self.standing = standing or Standing()
        self.stepping_since = stepping_since
        self._seen = seen

    def subject(self, image: int = 0) -> Subject | None:
        """Return what is explained in one of the images that are worked on; None while unknown, and for channels."""
        subjects = self.standing.subjects
        return subjects[image] if image < len(subjects) else None

    def partial_curve(self, image: int = 0) -> list[PartialPoint]:
        """Return the best score so far of each area that is being optimised, of one of the images that are.

        Waits for the device: call it a few times a second at most.
        """
        return self._seen.points(image) if self._seen else []

    def previews(self, image: int = 0) -> dict[float, Tensor]:
        """Return the best mask so far of each such area, about as it is: H x W in [0, 1]; nothing for channels.

        Waits for the device, and takes about as long as smoothing the masks once.
        """
        return self._seen.previews(image) if self._seen else {}

    def part_of(self, iteration: int, total: int, standing: Standing | None = None) -> Progress:
        """Return this as a part of something longer, which has come to `iteration` of `total`, and stands so."""
        return Progress(iteration, total, self._seen, standing or self.standing, self.stepping_since)


OnProgress = Callable[[Progress], None]
