"""Refinement: masks that start as the top area of a map, hold their area, and go up their objective."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from ep_core import ExtremalSpec
from ep_core.extremal.refinement import hold_of, lane, refinement
from ep_core.masks.perturbation import Pyramids
from ep_core.models import Classifier
from ep_core.optimiser.lanes import Lane, Objective
from ep_core.optimiser.presets.refine import RefineRule
from tests.unit.ep_core.conftest import SIDE, SPOTS

CPU = torch.device("cpu")


def test_a_mask_starts_as_the_top_area_of_its_map() -> None:
    ramp = torch.linspace(0, 1, SIDE).expand(SIDE, SIDE)  # highest at the right
    lanes = [Lane(0, 0, area, "preserve", end=10) for area in (0.1, 0.25)]
    rule = RefineRule(lanes, (SIDE, SIDE), CPU, ramp.expand(2, -1, -1))
    for area, mask in zip((0.1, 0.25), rule.masks([0, 1])[:, 0], strict=True):
        assert mask.mean().item() == pytest.approx(area, abs=1e-3)
        border = round(SIDE * (1 - area))
        assert mask[:, border + 10 :].min() > mask[:, : border - 14].max() + 0.4


def test_a_constant_map_is_a_start_like_any_other() -> None:
    rule = RefineRule([Lane(0, 0, 0.2, "preserve", end=10)], (SIDE, SIDE), CPU, torch.ones(1, SIDE, SIDE))
    assert rule.masks([0]).mean().item() == pytest.approx(0.2, abs=1e-3)


def test_masks_go_up_their_objective_at_their_area(spot_model: Classifier, pyramids: Pyramids) -> None:
    """From a start half off the spot, as far as it is seen from there."""
    spec = ExtremalSpec(areas=(0.08,))
    start = torch.zeros(1, SIDE, SIDE)
    start[0, 44:92, 20:68] = 1
    with spot_model.frozen() as network:
        solver = refinement(network, pyramids, [lane(spec, 0.08, image=0, target=0)], start, max_lanes=None)
        before = solver.rule.masks([0])
        for _ in solver.run():
            pass
    after = solver.image_masks(0)
    rows = columns = SPOTS[0]
    assert after[0, 0, rows, columns].mean() > before[0, 0, rows, columns].mean() + 0.15
    assert after.mean().item() == pytest.approx(0.08, abs=1e-3)
    assert solver.lane_steps(0) <= hold_of(spec) == 50


def test_a_lane_against_a_class_maximises_the_difference(spot_model: Classifier, pyramids: Pyramids) -> None:
    mask = torch.rand(2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    spec = ExtremalSpec(variant="delete")
    lanes = [lane(spec, 0.1, image=0, target=1, against=0), Lane(0, 1, 0.1, "preserve", end=3)]
    assert lanes[0].variant == "preserve"
    found = Objective(partial(pyramids.scores, spot_model.network), lanes, CPU)(mask)
    scores = spot_model.network(pyramids.perturb(mask, torch.tensor([0, 0])))
    torch.testing.assert_close(found, torch.stack([scores[0, 1] - scores[0, 0], scores[1, 1]]), atol=1e-3, rtol=1e-4)
