"""Lanes, and the rules that move them."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ep_core.extremal.masking import spatial_solver
from ep_core.masks.perturbation import Pyramids
from ep_core.models import Classifier
from ep_core.optimiser.lanes import Lane, Objective
from ep_core.optimiser.presets import fast
from ep_core.optimiser.presets.fast import FastRule
from ep_core.optimiser.presets.paper import PaperRule, area_weight
from ep_core.optimiser.presets.ranked import MOMENTUM
from ep_core.optimiser.presets.rule import Batch, Rule

pytestmark = pytest.mark.slow

SIDE = 168
SPOTS = (slice(20, 68), slice(100, 148))  # as in conftest
CPU = torch.device("cpu")


def lane(area: float = 0.1, *, target: int = 0, variant: str = "preserve", iterations: int = 12) -> Lane:
    return Lane(0, target, area, variant, end=iterations, arrival=round(0.7 * iterations))


def batch(rule: Rule, objective: Objective) -> Batch:
    return Batch((0,), torch.tensor([0]), objective)


def solved(model: Classifier, pyramids: Pyramids, lanes: list[Lane], preset: str, **options: int) -> Tensor:
    with model.frozen() as network:
        solver = spatial_solver(network, pyramids, lanes, preset, **options)
        for _ in solver.run():
            pass
    return solver.image_masks(0)


@pytest.mark.parametrize(("variant", "sign"), [("preserve", (1, 0)), ("delete", (0, -1)), ("hybrid", (1, -1))])
def test_objective_has_the_signs_of_section_3_2(
    spot_model: Classifier, pyramids: Pyramids, variant: str, sign: tuple[int, int]
) -> None:
    mask = torch.rand(1, 1, SIDE, SIDE)
    index = torch.tensor([0])
    kept = spot_model.network(pyramids.perturb(mask, index))[0, 1]
    deleted = spot_model.network(pyramids.perturb(1 - mask, index))[0, 1]
    objective = Objective(partial(pyramids.scores, spot_model.network), [lane(target=1, variant=variant)], CPU)
    torch.testing.assert_close(objective(mask)[0], sign[0] * kept + sign[1] * deleted, atol=1e-3, rtol=1e-4)


def test_mixed_lanes_keep_to_themselves(spot_model: Classifier, pyramids: Pyramids) -> None:
    lanes = [lane(variant="hybrid"), lane(target=1), lane(variant="delete")]
    masks = torch.rand(3, 1, SIDE, SIDE)
    together = Objective(partial(pyramids.scores, spot_model.network), lanes, CPU)(masks)
    alone = [
        Objective(partial(pyramids.scores, spot_model.network), [one], CPU)(masks[k : k + 1])
        for k, one in enumerate(lanes)
    ]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_a_lane_does_not_depend_on_its_company(spot_model: Classifier, pyramids: Pyramids, preset: str) -> None:
    lanes = [
        lane(0.1, iterations=6),
        lane(0.3, target=1, variant="hybrid", iterations=6),
        lane(0.2, variant="delete", iterations=5),
    ]
    together = solved(spot_model, pyramids, lanes, preset)
    alone = torch.cat([solved(spot_model, pyramids, [one], preset) for one in lanes])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_any_subset_can_be_stepped(spot_model: Classifier, pyramids: Pyramids, preset: str) -> None:
    lanes = [lane(0.1), lane(0.2), lane(0.3)]
    with spot_model.frozen() as network:
        in_turn, at_once = (spatial_solver(network, pyramids, lanes, preset) for _ in range(2))
        for _ in range(6):
            at_once.step([0, 1, 2])
        for rows in ([2], [0, 2], [1], [1, 0], [0, 1, 2]) + ([0, 1, 2],) * 2:
            in_turn.step(rows)
        for k in range(3):
            for _ in range(6 - in_turn.taken[k]):
                in_turn.step([k])
    torch.testing.assert_close(in_turn.image_masks(0), at_once.image_masks(0), atol=1e-4, rtol=0)


def test_run_steps_more_lanes_than_fit_a_batch_to_their_own_ends(spot_model: Classifier, pyramids: Pyramids) -> None:
    lanes = [lane(iterations=1 + k % 3) for k in range(7)]
    with spot_model.frozen() as network:
        solver = spatial_solver(network, pyramids, lanes, "paper", max_lanes=3)
        assert list(solver.run()) == [7, 11, 13]
    assert solver.taken == [one.end for one in lanes]
    assert solver.image_masks(0).shape == (7, 1, SIDE, SIDE)


@pytest.mark.parametrize(("preset", "iterations", "tolerance"), [("fast", 40, 0.002), ("paper", 100, 0.05)])
def test_the_mask_finds_what_the_network_looks_at(
    spot_model: Classifier, pyramids: Pyramids, preset: str, iterations: int, tolerance: float
) -> None:
    asked = ((0, "preserve"), (1, "delete"), (0, "hybrid"))
    lanes = [lane(0.09, target=target, variant=variant, iterations=iterations) for target, variant in asked]
    for one, mask in zip(lanes, solved(spot_model, pyramids, lanes, preset)[:, 0], strict=True):
        where = SPOTS[one.target]
        assert mask[where, where].sum() / mask.sum() > 0.5  # by chance 0.08
        assert mask.mean() == pytest.approx(0.09, abs=tolerance)


@pytest.mark.parametrize("area", [0.05, 0.1, 0.3, 0.6, 0.9])
def test_fast_masks_have_exactly_their_area(spot_model: Classifier, pyramids: Pyramids, area: float) -> None:
    for iterations in (1, 20):
        masks = solved(spot_model, pyramids, [lane(area, iterations=iterations)], "fast")
        assert masks.mean().item() == pytest.approx(area, abs=1e-3)


def test_fast_area_shrinks_on_schedule(spot_model: Classifier, pyramids: Pyramids) -> None:
    with spot_model.frozen() as network:
        solver = spatial_solver(network, pyramids, [lane(0.1, iterations=60)], "fast")
        areas = [solver.rule.areas.item() for _ in solver.run()]
    assert areas[0] > 0.9
    assert all(later <= earlier + 0.02 for earlier, later in pairwise(areas))
    assert areas[-1] == pytest.approx(0.1, abs=0.01)


def test_fast_step_keeps_the_area_to_first_order(spot_model: Classifier, pyramids: Pyramids) -> None:
    """The projected gradient g - a' sum(g) / sum(a') sums to nothing: moving along it trades area for area."""
    rule = FastRule([lane(0.3, iterations=1000)], (SIDE, SIDE), CPU)
    rule.taken.fill_(700)
    areas = []
    with spot_model.frozen() as network:
        one = batch(rule, Objective(partial(pyramids.scores, network), [lane(0.3)], CPU))
        for _ in range(40):
            rule.step(one)
            areas.append(rule.areas.item())
    assert all(area == pytest.approx(0.3, abs=0.01) for area in areas[20:])


@pytest.mark.parametrize(
    ("step", "weight"), [(0, 300), (533, 300), (534, 600), (1066, 600), (1067, 1200), (1599, 1200)]
)
def test_lambda_doubles_at_each_third(step: int, weight: float) -> None:
    assert area_weight(torch.tensor(step), torch.tensor(1600)) == weight


def test_paper_starts_from_all_ones(spot_model: Classifier, pyramids: Pyramids) -> None:
    solver = spatial_solver(spot_model.network, pyramids, [lane()], "paper")
    assert solver.image_masks(0).min() > 0.97


def test_paper_step_is_sgd_with_momentum(spot_model: Classifier, pyramids: Pyramids) -> None:
    """Against torch's own SGD on the same loss."""
    from ep_core.masks.area import ranked_area_loss
    from ep_core.masks.smooth import MaskLattice

    one = lane(0.2, iterations=9)
    parameters = torch.ones(1, 1, 32, 32, requires_grad=True)
    sgd = torch.optim.SGD([parameters], lr=PaperRule.learning_rate, momentum=MOMENTUM)
    lattice = MaskLattice((SIDE, SIDE))
    with spot_model.frozen() as network:
        objective = Objective(partial(pyramids.scores, network), [one], CPU)
        rule = PaperRule([one], (SIDE, SIDE), CPU)
        alone = batch(rule, objective)
        for step in range(9):
            masks = lattice.smooth(parameters)
            weight = (300, 600, 1200)[step // 3]
            loss = weight * ranked_area_loss(masks, [round(0.2 * SIDE * SIDE)]) - objective(masks)
            sgd.zero_grad()
            loss.sum().backward()
            sgd.step()
            with torch.no_grad():
                parameters.clamp_(0, 1)
            rule.step(alone)
    torch.testing.assert_close(rule.masks([0]), lattice.smooth(parameters).detach(), atol=5e-3, rtol=0)


@pytest.mark.parametrize("area", [0.0005, 0.01, 0.5, 0.97])
def test_fast_meets_extreme_areas_whatever_the_parameters(area: float) -> None:
    rule = FastRule([lane(area)], (224, 224), CPU)
    rule._theta = 3 * torch.randn(rule._theta.shape, generator=torch.Generator().manual_seed(0))
    assert rule.masks([0]).mean().item() == pytest.approx(area, abs=1e-4)


def sharpened_by_bisections(rule: FastRule, rows: list[int]) -> tuple[Tensor, Tensor]:
    """Return the masks as they are defined, each sharpening with a bisection of its own, and how often they were."""
    theta, contrast, area = rule._theta[rows], rule._contrast[rows], rule._area[rows]
    slope, times = fast._slope(rule._held(rows)), torch.zeros(len(rows))
    for _ in range(fast.LAST_SHARPENINGS):
        masks = rule._masks_at(theta + rule._shift_to(area, slope, theta, contrast), slope, contrast)
        grey = (masks * (1 - masks)).mean(dim=(1, 2, 3), keepdim=True) > fast.MOST_BINARINESS
        contrast = torch.where(grey, contrast * fast.LAST_SHARPENING, contrast)
        times += grey.flatten()
        if not grey.any():
            break
    return masks, times


@pytest.mark.parametrize("spread", [0.1, 3.0])
def test_fast_sharpens_as_bisections_would(spread: float) -> None:
    areas = (0.01, 0.3, 0.9)
    rule = FastRule([lane(area) for area in areas], (48, 48), CPU)
    rule._theta = spread * torch.randn(rule._theta.shape, generator=torch.Generator().manual_seed(0))
    rows = list(range(len(areas)))
    expected, times = sharpened_by_bisections(rule, rows)
    assert (times > 0).any()
    torch.testing.assert_close(rule.masks(rows), expected, atol=1e-5, rtol=0)


def test_fast_hands_out_the_masks_that_it_optimised_also_before_the_end() -> None:
    one = lane(0.3, iterations=40)
    rule = FastRule([one], (SIDE, SIDE), CPU)
    seen: list[Tensor] = []

    def objective(masks: Tensor) -> Tensor:
        seen.append(masks.detach())
        return masks[..., : SIDE // 2].sum(dim=(1, 2, 3)) / SIDE

    for _ in range(one.arrival + 6):  # half of the steps at its own area
        rule.step(batch(rule, objective))
    handed_out = rule.masks([0])
    rule.step(batch(rule, objective))
    assert (handed_out - seen[-1]).abs().max() < 0.15


def test_fast_cells_can_come_back() -> None:
    """However long the objective wanted one half, a few steps that want the other one bring the mask there."""
    one = Lane(0, 0, 0.05, "preserve", end=2000, arrival=1000)
    rule = FastRule([one], (SIDE, SIDE), CPU)
    half = SIDE // 2
    rule.taken.fill_(400)  # where about 0.6 is kept
    for _ in range(150):
        rule.step(batch(rule, lambda masks: masks[..., :half].sum(dim=(1, 2, 3)) / SIDE))
    for _ in range(25):
        rule.step(batch(rule, lambda masks: masks[..., half:].sum(dim=(1, 2, 3)) / SIDE))
    last: list[Tensor] = []
    rule.step(batch(rule, lambda masks: (last.append(masks.detach()), masks.sum(dim=(1, 2, 3)))[1]))
    assert last[0][..., half:].sum() > 0.6 * last[0].sum()
