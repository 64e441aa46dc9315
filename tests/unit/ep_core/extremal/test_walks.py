"""Walks: how far masks shrink in a step, what survives in them, and where the masks of a sweep start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core import ExtremalSpec, explain
from ep_core.extremal import walks
from ep_core.extremal.preparation import prepare_image
from ep_core.extremal.search import ALTERNATIVE_WALKS, by_walks, planned_steps
from ep_core.extremal.walks import SCALE, walked
from ep_core.extremal.watch import Watch
from ep_core.models import Classifier
from ep_core.optimiser.alone import Alone
from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.presets import walk
from ep_core.optimiser.presets.walk import NEAR, OVERALL, WalkRule, survival
from ep_core.optimiser.solver import Solver
from ep_core.schemas.progress import Progress, Seen
from tests.unit.ep_core.conftest import SIDE, checkerboard

CPU = torch.device("cpu")
MANY = [k / 65 for k in range(1, 65)]


@pytest.mark.parametrize("areas", [(0.1,), (0.01, 0.9), (0.05, 0.1, 0.2, 0.4, 0.6, 0.8), tuple(MANY)])
@pytest.mark.parametrize("iterations", [3, 10, 100])
@pytest.mark.parametrize("independent", [False, True])
def test_a_sweep_takes_no_more_steps_per_area_than_asked_for(
    areas: tuple[float, ...], iterations: int, independent: bool
) -> None:
    spec = ExtremalSpec(areas=areas, iterations=iterations, independent=independent, alternatives=0, contrast=False)
    assert planned_steps(spec) <= iterations * len(areas) + walk.FEWEST


def test_walks_start_apart_and_depend_on_the_seed() -> None:
    drawn = [
        {lane.seed for lane in walk.walk_lanes(MANY, "preserve", 100, image=0, target=0, seed=seed, hold=30)}
        for seed in (0, 1)
    ]
    assert [len(seeds) for seeds in drawn] == [walk.WALKS, walk.WALKS]
    assert not drawn[0] & drawn[1]


def test_a_walks_area_falls_by_the_same_factor_in_each_step() -> None:
    rule = rule_after(steps=24, area=0.1)
    factor = 0.1 ** (1 / 24)
    seen = rule.trail_areas[0].tolist()
    assert seen[0] == pytest.approx(0.98, abs=0.01)
    for step in range(2, 24):
        assert seen[step] == pytest.approx(factor**step, rel=0.1)


def test_the_trail_holds_the_masks_of_every_step() -> None:
    rule = rule_after(steps=4, area=0.3)
    assert rule.trail.shape == (1, 4, *rule._lattice.shape)
    torch.testing.assert_close(rule.trail.mean(dim=(2, 3)), rule.trail_areas, atol=0.02, rtol=0)
    assert rule.trail_values[0].tolist() == pytest.approx(rule.trail_areas[0].tolist(), abs=1e-4)  # the objective here


def test_survival_is_the_mean_of_the_steps_near_an_area_and_a_tenth_of_all() -> None:
    trail = torch.tensor([[1.0, 0.6, 0.2], [0.8, 0.4, 0.0]])[:, :, None, None]  # 2 walks x 3 steps of one cell
    seen = torch.tensor([[0.9, 0.3, 0.1], [0.9, 0.25, 0.1]])
    low, high = NEAR
    assert low * 0.1 <= 0.1 <= 0.3 <= high * 0.1 + 1e-9 < 0.9
    near = (0.6 + 0.2 + 0.4 + 0.0) / 4
    assert survival(trail, seen, 0.1).item() == pytest.approx(near + OVERALL * 0.5)
    everywhere = survival(trail, seen, 0.0001)  # no step came near
    assert everywhere.item() == pytest.approx((1 + OVERALL) * 0.5)


def test_walks_end_where_the_network_looks(spot_model: Classifier) -> None:
    """The network takes one size only: its walks are not scaled."""
    (found,), seen = survivals(spot_model, ExtremalSpec(areas=(0.08, 0.3), target=0, perturbation="fade"))
    where = found.maps[0] >= found.maps[0].flatten().quantile(0.92)
    assert where[20:68, 20:68].float().mean() > 0.9
    assert found.maps.shape == (2, SIDE, SIDE)
    assert found.halves.shape == (2, 2, SIDE, SIDE)
    torch.testing.assert_close(found.halves.mean(dim=0), found.maps, atol=0.05, rtol=0)
    assert found.steps == sum(seen)


def test_walks_are_scaled_where_the_network_still_sees_the_target(
    mobilenet: Classifier, sample: Callable[[str], Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = sample("goose")
    spec = ExtremalSpec(areas=(0.2, 0.5), iterations=3)
    (scaled,), _ = survivals(mobilenet, spec, image)
    assert scaled.steps == pytest.approx(scaled.walks * (128 / 224) ** 2)
    monkeypatch.setattr(walks, "LEAST_CONTRAST", 10.0)
    (whole,), _ = survivals(mobilenet, spec, image)
    assert whole.steps == whole.walks
    assert whole.maps.shape == scaled.maps.shape == (2, 224, 224)


@pytest.mark.slow
def test_an_images_walks_do_not_depend_on_its_company(spot_model: Classifier) -> None:
    specs = [ExtremalSpec(areas=(0.1, 0.3), iterations=5, target=k) for k in (0, 1)]
    images = [torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(k)) for k in (0, 1)]
    together, _ = survivals(spot_model, specs, images)
    for spec, image, found in zip(specs, images, together, strict=True):
        (alone,), _ = survivals(spot_model, spec, image)
        torch.testing.assert_close(alone.maps, found.maps)


@pytest.mark.slow
def test_coarse_masks_of_all_areas_are_seen_before_refinement(spot_model: Classifier) -> None:
    seen: list[tuple[int, list[float], dict[float, Tensor]]] = []

    def look(progress: Progress) -> None:
        if not progress.iteration:
            return  # the walks are about to begin
        areas = [point.area for point in progress.partial_curve()]
        seen.append((progress.total - progress.iteration, areas, progress.previews()))

    spec = ExtremalSpec(areas=(0.1, 0.4)).masks_only()
    explain(spot_model, checkerboard()[None] / 2 + 0.5, spec, on_progress=look)
    rounds = walk.walk_lanes(spec.areas, "preserve", 100, image=0, target=0, seed=0, hold=50)[0].end
    left, areas, previews = seen[rounds - 1]
    assert left > 0
    assert areas == [0.1, 0.4]
    for area, mask in previews.items():
        assert mask.shape == (SIDE, SIDE)
        assert mask.mean().item() == pytest.approx(area, rel=0.4)


def test_an_area_is_shown_by_the_step_that_is_nearest_to_it() -> None:
    seen = [0.98, 0.88, 0.6, 0.45]
    assert [walks._nearest(seen, area) for area in (0.8, 0.6, 0.4, 0.3)] == [1, 2, 3, None]
    assert walks._nearest([], 0.8) is None


def test_paper_and_independent_masks_take_no_walks(spot_model: Classifier) -> None:
    for spec in (ExtremalSpec(preset="paper"), ExtremalSpec(independent=True)):
        assert not by_walks(spec)
    spec = ExtremalSpec(areas=(0.3,), independent=True, iterations=1, check_extremality=False)
    found = explain(spot_model, checkerboard()[None] / 2 + 0.5, spec)
    assert (found.stability, found.alternatives, found.contrast) == (None, (), None)


class Area(nn.Module):
    """Scores an image of ones by its mean: what is left of it."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(1, 2, 3))[:, None]


def rule_after(*, steps: int, area: float) -> WalkRule:
    rule = WalkRule([Lane(0, 0, area, "preserve", end=steps, arrival=steps)], (70, 70), CPU)
    solver = Solver(rule, lambda masks, images: Area()(masks))
    for _ in Alone().run(solver):
        pass
    return rule


def survivals(
    model: Classifier,
    specs: ExtremalSpec | list[ExtremalSpec],
    images: Image.Image | Tensor | list[Tensor] | None = None,
) -> tuple[list[walks.Survival], list[float]]:
    specs = specs if isinstance(specs, list) else [specs]
    if images is None:
        images = checkerboard()[None] / 2 + 0.5
    images = images if isinstance(images, list) else [images]
    counted: list[float] = []

    def follow(solver: Solver, seen: Seen | None = None, cost: float = 1.0) -> None:
        for _ in Alone().run(solver):
            pass
        counted.append(cost * solver.total)

    with model.frozen() as network:
        sweeps = [
            prepare_image(model, network, one, spec, spec.target) for one, spec in zip(images, specs, strict=True)
        ]
        return walked(network, sweeps, max_lanes=None, follow=follow), counted


def test_a_watch_ends_at_its_total() -> None:
    told: list[tuple[int, int]] = []
    watch = Watch(10.4, lambda progress: told.append((progress.iteration, progress.total)), Alone())
    rule = WalkRule([Lane(0, 0, 0.5, "preserve", end=4, arrival=4)], (70, 70), CPU)
    watch.follow(Solver(rule, lambda masks, images: Area()(masks)), cost=0.5)
    watch.finish()
    assert told == [(0, 10), (1, 10), (2, 10), (2, 10), (10, 10)]


def test_planned_steps_are_those_of_walks_areas_and_blocks() -> None:
    spec = ExtremalSpec(areas=(0.2, 0.5), iterations=10)
    lanes = walk.walk_lanes(spec.areas, "preserve", 10, image=0, target=0, seed=0, hold=5, cost=SCALE**2)
    other = walk.walk_lanes(
        (0.2,), "preserve", 10, image=0, target=0, seed=0, hold=5, cost=SCALE**2, most=ALTERNATIVE_WALKS
    )
    steps = sum(lane.end for lane in [*lanes, *other]) * SCALE**2 + (2 + 1 + 1) * 5
    assert planned_steps(spec) == pytest.approx(steps)
