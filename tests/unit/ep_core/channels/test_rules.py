"""The rules of channel masks, on a tail whose best masks are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest
import torch
from torch import Tensor

from ep_core.optimiser.alone import Alone
from ep_core.optimiser.presets.channels import CHANNEL_PRESETS, PaperChannels, channel_lanes
from ep_core.optimiser.presets.ranked import MOMENTUM
from ep_core.optimiser.solver import Solver
from ep_core.schemas.specs import Preset, Variant
from tests.unit.ep_core.steps import Steps

CPU = torch.device("cpu")
K = 12
WEIGHTS = torch.tensor([3.0, -2.0, 0.5, 4.0, 1.0, -1.0, 2.0, 0.1, -3.0, 1.5, 0.7, 2.5])


def linear(masks: Tensor, _images: Tensor) -> Tensor:
    """Two classes; class 1 scores the sum of the channels' weights, class 0 nothing."""
    score = (masks[:, :, 0, 0] * WEIGHTS).sum(dim=1)
    return torch.stack([torch.zeros_like(score), score], dim=1)


def crossed(masks: Tensor, _images: Tensor) -> Tensor:
    """Class 1 scores pairs: a channel's contribution depends on the others."""
    m = masks[:, :, 0, 0]
    pairs = torch.rand(K, K, generator=torch.Generator().manual_seed(3)) - 0.4
    score = ((m @ pairs) * m).sum(dim=1)
    return torch.stack([torch.zeros_like(score), score], dim=1)


def solved(scores, counts: Sequence[int], preset: Preset, variant: Variant = "preserve", iterations: int = 0) -> Solver:
    lanes = channel_lanes(
        counts, K, target=1, variant=variant, iterations=iterations or CHANNEL_PRESETS[preset].iterations
    )
    solver = Solver(CHANNEL_PRESETS[preset].rule(lanes, K, CPU), scores)
    for _ in Alone().run(solver):
        pass
    return solver


@pytest.mark.parametrize("variant", ["preserve", "delete", "hybrid"])
def test_of_independent_channels_the_best_are_found(variant: Variant) -> None:
    counts = (1, 3, 6)
    masks = solved(linear, counts, "fast", variant).image_masks(0)[:, :, 0, 0]
    for count, mask in zip(counts, masks, strict=True):
        best = set(WEIGHTS.topk(count).indices.tolist())
        assert set(mask.topk(count).indices.tolist()) == best


def test_fast_masks_have_exactly_as_many_channels_at_every_step() -> None:
    counts = (1, 2, 5, 11, 12)
    lanes = channel_lanes(counts, K, target=1, variant="preserve", iterations=9)
    solver = Solver(CHANNEL_PRESETS["fast"].rule(lanes, K, CPU), crossed)
    for _ in Alone().run(solver):
        masks = solver.image_masks(0)[:, :, 0, 0]
        assert set(masks.unique().tolist()) <= {0.0, 1.0}
        assert masks.sum(dim=1).tolist() == list(counts)


def test_fast_comes_close_to_the_best_of_all_masks() -> None:
    counts = (2, 4, 6)
    masks = solved(crossed, counts, "fast").image_masks(0)
    found = crossed(masks, torch.zeros(3))[:, 1]
    for count, value in zip(counts, found.tolist(), strict=True):
        rows = torch.zeros(len(list(combinations(range(K), count))), K, 1, 1)
        for row, chosen in zip(rows, combinations(range(K), count), strict=True):
            row[list(chosen)] = 1
        every = crossed(rows, torch.zeros(len(rows)))[:, 1].sort(descending=True).values
        assert value >= every[0] - 0.05 * (every[0] - every.median())


def test_fast_values_never_fall_once_it_swaps() -> None:
    lanes = channel_lanes((4,), K, target=1, variant="preserve", iterations=60)
    solver = Solver(CHANNEL_PRESETS["fast"].rule(lanes, K, CPU), crossed)
    best = [solver.rule.values[0].item() for _ in Alone().run(solver)][1:]  # the first one is of all channels
    assert best == sorted(best)
    assert best[-1] == pytest.approx(crossed(solver.image_masks(0), torch.zeros(1))[0, 1].item(), abs=1e-5)


def harmful(masks: Tensor, images: Tensor) -> Tensor:
    """As `linear`, of weights that are all negative: the masks differ from the first step on."""
    return linear(masks, images) - 5 * masks[:, :, 0, 0].sum(dim=1, keepdim=True)


def test_paper_takes_the_steps_of_equation_9() -> None:
    """Against the formula with a sort, its gradient by hand."""
    lanes = channel_lanes((4,), K, target=1, variant="preserve", iterations=300)
    solver = Solver(PaperChannels(lanes, K, CPU), harmful)
    step_one = Steps(solver)
    mask, velocity = torch.ones(K), torch.zeros(K)
    for step in range(5):
        reference = torch.zeros(K)
        reference[mask.argsort(descending=True)[:4]] = 1
        weight = 1500 * step / 150
        velocity = MOMENTUM * velocity + (WEIGHTS - 5) - weight * 2 * (mask - reference) / K
        mask = (mask + PaperChannels.learning_rate * velocity).clamp(0, 1)
        step_one([0])
        torch.testing.assert_close(solver.image_masks(0)[0, :, 0, 0], mask)


def test_paper_masks_end_near_the_counts() -> None:
    counts = (2, 5, 8)
    masks = solved(harmful, counts, "paper").image_masks(0)[:, :, 0, 0]
    assert masks.sum(dim=1).tolist() == pytest.approx(counts, abs=0.5)
    assert float((masks * (1 - masks)).mean()) < 0.02
    for count, mask in zip(counts, masks, strict=True):
        assert set(mask.topk(count).indices.tolist()) == set(WEIGHTS.topk(count).indices.tolist())


def test_the_weight_of_the_area_rises_to_1500_over_the_first_150_steps() -> None:
    rule = PaperChannels(channel_lanes((4,), K, target=1, variant="preserve", iterations=300), K, CPU)
    steps = torch.tensor([0.0, 75.0, 150.0, 299.0])
    assert rule.area_weight(steps, torch.tensor(300.0)).tolist() == [0, 750, 1500, 1500]


def test_lanes_do_not_depend_on_their_company() -> None:
    together = solved(crossed, (2, 5, 7), "fast").image_masks(0)
    for k, count in enumerate((2, 5, 7)):
        assert torch.equal(solved(crossed, (count,), "fast").image_masks(0)[0], together[k])
