"""Presets of masks: how a preset finds its masks, and what it promises of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from ep_core.masks.patches import PatchLattice
from ep_core.optimiser.lanes import Lane
from ep_core.schemas.specs import Preset

from .rule import Rule


@dataclass(frozen=True)
class Promise:
    """Distance of a preset's masks from their areas, and from masks of ones and zeros, at most."""

    area: float
    """Most that a mask misses its area by, as a share of the area or of the rest, whichever is smaller."""
    binariness: float
    """Largest mean m(1-m)."""
    greyness: float
    """The same as a share of what an even grey of the mask's area has: 0 for a binary mask, 1 for the even grey."""


AREAS_HELD = Promise(area=0.02, binariness=0.05, greyness=0.5)
AREAS_BY_PENALTY = Promise(area=0.5, binariness=0.25, greyness=0.6)
"""Borders are soft there: of the masks is asked that they are no even grey."""


@dataclass(frozen=True)
class MaskFamily:
    """The way from parameters on a lattice to smooth masks."""

    samples: int | None
    """Points per lattice step at which masks are evaluated; None: every pixel."""
    contrast: float | None
    """Of their sharpening; None: they stay as eq. 7 gives them."""
    largest: float
    """Area that no mask is larger than."""


@dataclass(frozen=True, kw_only=True)
class MaskPreset:
    """Common part of the presets of spatial and of channel masks."""

    name: Preset
    iterations: int
    """Steps per area, at most, unless the spec says otherwise."""
    promise: Promise


class SpatialRule(Protocol):
    """Maker of a rule of spatial masks."""

    def __call__(
        self,
        lanes: Sequence[Lane],
        size: tuple[int, int],
        device: torch.device,
        *,
        patches: PatchLattice | None = None,
    ) -> Rule:
        """Return the rule of lanes.

        Args:
            lanes: what is optimised.
            size: height and width of the masks, in pixels.
            device: where all of it lives.
            patches: those that masks are made of; None: they are smooth.
        """


@dataclass(frozen=True, kw_only=True)
class SpatialPreset(MaskPreset):
    """A preset of spatial masks (sections 3 and 4)."""

    rule: SpatialRule
    """Moves lanes that each have an area by themselves."""
    hold: float
    """Of such a lane's steps, the share in which its mask has its area already."""
    family: MaskFamily
    stops_early: bool
    """True where a lane leaves the batch where it stands on a plateau."""
    moves_starts: bool
    """True where masks can be moved on from given starts: those that walks agree on, or rivals that beat a mask."""


@dataclass(frozen=True, kw_only=True)
class ChannelPreset(MaskPreset):
    """A preset of channel masks and of inversions (section 5)."""

    rule: Callable[[Sequence[Lane], int, torch.device], Rule]
    """Moves lanes; given the number of the layer's channels."""
    cosine_power: float
    """Of inversions: 0 is eq. 12; above, exciting what the target hasn't earns no credit, which is closer to x."""
