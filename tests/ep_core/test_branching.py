"""The walk of the fast preset: lanes that branch off each other."""

from __future__ import annotations

import pytest
import torch

from ep_core.lanes import Lane
from ep_core.models import Classifier
from ep_core.perturbation import Pyramids
from ep_core.presets import fast, plan
from ep_core.spatial import spatial_solver
from ep_core.spec import ExtremalSpec

AREAS = [0.05, 0.2, 0.5]


def walk(iterations: int = 30) -> list[Lane]:
    """The first of the walks."""
    return fast.plan(AREAS, "preserve", iterations, seed=0, independent=False)[: len(AREAS)]


MANY = [k / 65 for k in range(1, 65)]


@pytest.mark.parametrize("areas", [[0.1], [0.01, 0.9], AREAS, [0.05, 0.1, 0.2, 0.4, 0.6, 0.8], MANY])
@pytest.mark.parametrize("iterations", [1, 2, 3, 10, 100])
@pytest.mark.parametrize("independent", [False, True])
def test_a_sweep_takes_no_more_steps_per_area_than_asked_for(
    areas: list[float], iterations: int, independent: bool
) -> None:
    lanes = fast.plan(areas, "preserve", iterations, seed=0, independent=independent)
    assert {lane.area for lane in lanes} == set(areas)
    assert all(lane.steps >= 1 for lane in lanes)
    assert sum(lane.steps for lane in lanes) <= iterations * len(areas)


def test_walks_start_apart_and_hang_on_the_seed() -> None:
    seeds = [{lane.seed for lane in fast.plan(AREAS, "preserve", 100, seed=seed, independent=False)} for seed in (0, 1)]
    assert [len(drawn) for drawn in seeds] == [fast.WALKS, fast.WALKS]
    assert not seeds[0] & seeds[1]


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
    lanes = plan(spec, image=1, target=7, first=10)
    assert [lane.parent for lane in lanes] == [11, 12, None, 14, 15, None]
    assert {(lane.image, lane.target) for lane in lanes} == {(1, 7)}


def test_the_better_mask_of_each_area_counts(spot_model: Classifier, pyramids: Pyramids) -> None:
    """A network that looks at the left, and two lanes of which only one may end there."""
    good, bad = (Lane(0, target, 0.1, "preserve", end=20, arrival=14) for target in (0, 0))
    with spot_model.frozen() as network:
        solver = spatial_solver(network, pyramids, [bad, good, Lane(0, 0, 0.3, "preserve", end=20, arrival=14)], "fast")
        while solver.taken[1] != 20:
            solver.step([1])
        best, masks = solver.best_masks(0), solver.masks()
    assert torch.equal(best[0], masks[1])
    assert torch.equal(best[1], masks[2])


def test_a_branch_starts_with_all_that_its_parent_has(spot_model: Classifier, pyramids: Pyramids) -> None:
    lanes = walk()
    with spot_model.frozen() as network:
        solver = spatial_solver(network, pyramids, lanes, "fast")
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
            solver = spatial_solver(network, pyramids, walk(), "fast", max_lanes=max_lanes)
            for _ in solver.run():
                pass
        masks.append(solver.masks())
    torch.testing.assert_close(*masks, atol=1e-4, rtol=0)


def test_done_counts_all_lanes_to_the_total(spot_model: Classifier, pyramids: Pyramids) -> None:
    with spot_model.frozen() as network:
        solver = spatial_solver(network, pyramids, walk(), "fast")
        done = list(solver.run())
    assert done == sorted(done)
    assert done[-1] == solver.total == sum(lane.steps for lane in solver.lanes)


def test_masks_of_a_walk_have_their_areas(spot_model: Classifier, pyramids: Pyramids) -> None:
    with spot_model.frozen() as network:
        solver = spatial_solver(network, pyramids, walk(), "fast")
        for _ in solver.run():
            pass
    assert solver.masks().mean(dim=(1, 2, 3)).tolist() == pytest.approx(AREAS, abs=1e-3)


@pytest.mark.parametrize("iterations", [1, 2, 3, 4])
def test_few_steps_bring_every_lane_to_its_end(spot_model: Classifier, pyramids: Pyramids, iterations: int) -> None:
    lanes = fast.plan(AREAS, "preserve", iterations, seed=0, independent=False)
    with spot_model.frozen() as network:
        solver = spatial_solver(network, pyramids, lanes, "fast")
        for _ in solver.run():
            pass
    assert solver.taken == [lane.end for lane in lanes]
    assert solver.done == solver.total
