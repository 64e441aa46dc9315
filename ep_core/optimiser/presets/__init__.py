"""Presets: rules by which lanes are optimised. `paper` is faithful to section 4; `fast` is ours."""

from __future__ import annotations

from ep_core.optimiser.lanes import Lane
from ep_core.schemas.specs import Preset, SpatialSpec

from .fast import FastRule, fast_lanes
from .paper import PaperRule, paper_lanes
from .rule import Rule

RULES: dict[Preset, type[FastRule] | type[PaperRule]] = {"fast": FastRule, "paper": PaperRule}
ITERATIONS: dict[Preset, int] = {"fast": 100, "paper": 1600}
"""Steps per area, at most."""


def independent_lanes(spec: SpatialSpec, *, image: int, target: int) -> list[Lane]:
    """Return a lane for each area of `spec.areas`, each by itself (figure 5).

    Args:
        spec: what to find.
        image: index of the image among the pyramids.
        target: class index.
    """
    iterations = spec.iterations or ITERATIONS[spec.preset]
    if spec.preset == "paper":
        return paper_lanes(spec.areas, spec.variant, iterations, image=image, target=target)
    return fast_lanes(spec.areas, spec.variant, iterations, image=image, target=target, seed=spec.seed)


__all__ = ["ITERATIONS", "RULES", "FastRule", "PaperRule", "Rule", "independent_lanes"]
