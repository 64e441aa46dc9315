"""The walk of the fast preset: lanes that branch off each other."""

from __future__ import annotations

import pytest
import torch

from ep_core.lanes import Lane
from ep_core.models import Classifier
from ep_core.perturbation import Pyramids
from ep_core.presets import fast, plan
from ep_core.solver import Solver
from ep_core.spec import ExtremalSpec

AREAS = [0.05, 0.2, 0.5]


def walk(iterations: int = 30) -> list[Lane]:
    return fast.plan(AREAS, "preserve", iterations, independent=False)


@pytest.mark.parametrize(
    "areas", [[0.1], [0.01, 0.9], AREAS, [0.05, 0.1, 0.2, 0.4, 0.6, 0.8], [k / 65 for k in range(1, 65)]]
)
@pytest.mark.parametrize("iterations", [1, 2, 10, 100])
def test_a_sweep_takes_no_more_steps_per_area_than_asked_for(areas: list[float], iterations: int) -> None:
    for independent in (False, True):
        lanes = fast.plan(areas, "preserve", iterations, independent=independent)
        assert [lane.area for lane in lanes] == areas
        assert all(lane.steps >= 1 for lane in lanes)
        assert sum(lane.steps for lane in lanes) <= max(iterations, 2) * len(areas)


def test_every_lane_branches_off_the_next_larger_area_when_that_is_reached() -> None:
    lanes = walk()
    assert [lane.parent for lane in lanes] == [1, 2, None]
    assert [lane.start for lane in lanes] == [lanes[1].arrival, lanes[2].arrival, 0]
    assert all(lane.start <= lane.arrival < lane.end for lane in lanes)


def test_independent_lanes_have_no_parents() -> None:
    for preset in ("fast", "paper"):
        spec = ExtremalSpec(areas=tuple(AREAS), preset=preset, independent=True)
        assert all(lane.parent is None and lane.start == 0 for lane in plan(spec, image=0, target=0, first=0))


def test_lanes_of_a_second_image_refer_to_each_other() -> None:
    spec = ExtremalSpec(areas=tuple(AREAS))
    assert [lane.parent for lane in plan(spec, image=1, target=7, first=10)] == [11, 12, None]


def test_a_branch_starts_with_all_that_its_parent_has(spot_model: Classifier, pyramids: Pyramids) -> None:
    lanes = walk()
    with spot_model.frozen() as network:
        solver = Solver(network, pyramids, lanes, "fast")
        for _ in range(lanes[1].start):
            assert solver.unfinished() == [2]
            solver.step([2])
        assert solver.taken == [None, lanes[1].start, lanes[1].start]
        assert solver.unfinished() == [1, 2]
        for rows in solver.rule._rows:
            assert torch.equal(rows[1], rows[2])


def test_a_walk_does_not_depend_on_the_batches_it_is_stepped_in(spot_model: Classifier, pyramids: Pyramids) -> None:
    masks = []
    for max_lanes in (1, 16):
        with spot_model.frozen() as network:
            solver = Solver(network, pyramids, walk(), "fast", max_lanes=max_lanes)
            for _ in solver.run():
                pass
        masks.append(solver.masks())
    torch.testing.assert_close(*masks, atol=1e-4, rtol=0)


def test_done_counts_all_lanes_to_the_total(spot_model: Classifier, pyramids: Pyramids) -> None:
    with spot_model.frozen() as network:
        solver = Solver(network, pyramids, walk(), "fast")
        done = list(solver.run())
    assert done == sorted(done)
    assert done[-1] == solver.total == sum(lane.steps for lane in solver.lanes)


def test_masks_of_a_walk_have_their_areas(spot_model: Classifier, pyramids: Pyramids) -> None:
    with spot_model.frozen() as network:
        solver = Solver(network, pyramids, walk(), "fast")
        for _ in solver.run():
            pass
    assert solver.masks().mean(dim=(1, 2, 3)).tolist() == pytest.approx(AREAS, abs=1e-3)
