"""The presets: rules by which lanes are optimised. `paper` is faithful to section 4; `fast` is ours."""

from __future__ import annotations

from dataclasses import replace

from ep_core.lanes import Lane
from ep_core.spec import Preset, SpatialSpec

from . import fast, paper
from .fast import FastRule
from .paper import PaperRule
from .rule import Rule

RULES: dict[Preset, type[FastRule] | type[PaperRule]] = {"fast": FastRule, "paper": PaperRule}
ITERATIONS: dict[Preset, int] = {"fast": 100, "paper": 1600}
"""Steps per area, at most."""


def plan(spec: SpatialSpec, *, image: int, target: int, first: int) -> list[Lane]:
    """Return a sweep's lanes: one for each area of `spec.areas`, or several, of which the best counts.

    Args:
        spec: what to find.
        image: index of the image among the pyramids.
        target: class index.
        first: index that the first lane will have, which its relatives refer to.
    """
    iterations = spec.iterations or ITERATIONS[spec.preset]
    if spec.preset == "paper":
        lanes = paper.plan(spec.areas, spec.variant, iterations)
    else:
        lanes = fast.plan(spec.areas, spec.variant, iterations, seed=spec.seed, independent=bool(spec.independent))
    parents = [None if lane.parent is None else first + lane.parent for lane in lanes]
    return [
        replace(lane, image=image, target=target, parent=parent) for lane, parent in zip(lanes, parents, strict=True)
    ]


__all__ = ["ITERATIONS", "RULES", "FastRule", "PaperRule", "Rule", "plan"]
