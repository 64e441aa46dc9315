"""Presets: rules by which lanes are optimised. `paper` is faithful to section 4; `fast` is ours."""

from __future__ import annotations

from ep_core.optimiser.lanes import Lane
from ep_core.schemas.specs import Preset, SpatialSpec

from .fast import FAST
from .paper import PAPER
from .preset import SpatialPreset

SPATIAL_PRESETS: dict[Preset, SpatialPreset] = {preset.name: preset for preset in (FAST, PAPER)}


def iterations_of(spec: SpatialSpec) -> int:
    """Return the steps per area that a spec asks for, or else its preset takes, at most."""
    return spec.iterations or SPATIAL_PRESETS[spec.preset].iterations


def independent_lanes(spec: SpatialSpec, *, image: int, target: int) -> list[Lane]:
    """Return a lane for each area of `spec.areas`, each by itself (figure 5).

    Args:
        spec: what to find.
        image: index of the image among the pyramids.
        target: class index.
    """
    end = iterations_of(spec)
    arrival = end - max(1, round(SPATIAL_PRESETS[spec.preset].hold * end))
    return [Lane(image, target, area, spec.variant, end=end, arrival=arrival, seed=spec.seed) for area in spec.areas]


__all__ = ["SPATIAL_PRESETS", "SpatialPreset", "independent_lanes", "iterations_of"]
