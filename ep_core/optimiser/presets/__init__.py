"""Presets: rules by which lanes are optimised. `paper` is faithful to section 4; `fast` is ours."""

from __future__ import annotations

from dataclasses import replace

from ep_core.optimiser.lanes import Lane
from ep_core.schemas.specs import Preset, SpatialSpec

from . import fast, paper
from .fast import FastRule
from .paper import PaperRule
from .rule import Rule

RULES: dict[Preset, type[FastRule] | type[PaperRule]] = {"fast": FastRule, "paper": PaperRule}
ITERATIONS: dict[Preset, int] = {"fast": 100, "paper": 1600}
"""Steps per area, at most."""


def plan(spec: SpatialSpec, *, image: int, target: int) -> list[Lane]:
    """Return a lane for each area of `spec.areas`, each by itself (figure 5).

    Args:
        spec: what to find.
        image: index of the image among the pyramids.
        target: class index.
    """
    iterations = spec.iterations or ITERATIONS[spec.preset]
    if spec.preset == "paper":
        lanes = paper.plan(spec.areas, spec.variant, iterations)
    else:
        lanes = fast.plan(spec.areas, spec.variant, iterations, seed=spec.seed)
    return [replace(lane, image=image, target=target) for lane in lanes]


__all__ = ["ITERATIONS", "RULES", "FastRule", "PaperRule", "Rule", "plan"]
