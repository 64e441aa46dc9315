"""Searches over superpixels: their orders against slow ones, what they show the network, and a photograph."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core.methods.base.method import AttributionRequest
from ep_core.methods.base.registry import get_method
from ep_core.methods.greedy_superpixels import greedy_order
from ep_core.methods.phase_win import phase_win_order
from ep_core.methods.superpixels.search import SetFunction, regions_for
from ep_core.models import Classifier
from ep_core.schemas.specs import CompareSpec

from .conftest import Shown

Attribute = Callable[..., Tensor]
SEARCHES = ("greedy_superpixels", "phase_win")


class Scored:
    """A set function that knows how many sets it scored."""

    def __init__(self, score: SetFunction) -> None:
        self._score = score
        self.sets = 0

    def __call__(self, sets: Tensor) -> Tensor:
        self.sets += len(sets)
        return self._score(sets)


def additive(worth: Tensor) -> Scored:
    return Scored(lambda sets: sets.float() @ worth)


def covering(regions: int) -> Scored:
    """Count what the regions of a set cover together: a submodular function that isn't additive."""
    covers = torch.rand(regions, 40, generator=torch.Generator().manual_seed(4)) < 0.15
    weights = 1 + torch.rand(40, generator=torch.Generator().manual_seed(5))
    return Scored(lambda sets: (sets.float() @ covers.float()).clamp(max=1) @ weights + 0.5)


def numbers(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slow_greedy(score: SetFunction, regions: int) -> list[int]:
    order: list[int] = []
    while len(order) < regions:
        best, found = -1.0, -1
        for region in range(regions):
            if region not in order:
                kept = torch.tensor([[k in (*order, region) for k in range(regions)]])
                if float(score(kept)) > best:
                    best, found = float(score(kept)), region
        order.append(found)
    return order


def test_greedy_order_of_an_additive_score_is_the_best_of_all_orders() -> None:
    worth = torch.tensor([0.3, 0.9, 0.1, 0.7, 0.5])
    score = additive(worth)
    found = greedy_order(score, 5, numbers())
    assert score.sets == 5 + 4 + 3 + 2
    best = max(permutations(range(5)), key=lambda order: sum(float(worth[list(order[:k])].sum()) for k in range(1, 6)))
    assert found == list(best) == [1, 3, 4, 0, 2]


def test_greedy_order_is_that_of_a_slow_greedy_search() -> None:
    assert greedy_order(covering(9), 9, numbers()) == slow_greedy(covering(9), 9)


def test_phase_win_by_hand() -> None:
    """A window of two regions; the last one is worth less than a twentieth of the best and comes last."""
    worth = torch.tensor([0.0, 10.0, 0.0, 3.0, 5.0, 1.0, 0.0])
    score = Scored(lambda sets: ((sets.float() @ worth) - 10 * (sets.sum(1) - 1)).clamp(min=0.01))
    # Alone, the second is best: 10. With it, the others are worth 0.01, 0.01, 3, 5, 1, 0.01: the fifth alone is within
    # 60% of 5, 0.01 is below 5%. With both, -5 and less count as 0.01: all are alike and go in their order.
    found = phase_win_order(score, 7, numbers())
    assert found[:2] == [1, 4]
    assert found[-3:] == [0, 2, 6]
    assert sorted(found) == list(range(7))


@pytest.mark.parametrize("seed", [0, 1])
def test_phase_win_is_about_as_good_as_greedy_with_fewer_sets(seed: int) -> None:
    regions = 42
    greedy, windows = covering(regions), covering(regions)
    orders = greedy_order(greedy, regions, numbers()), phase_win_order(windows, regions, numbers(seed))
    assert sorted(orders[1]) == list(range(regions))
    assert windows.sets < 0.7 * greedy.sets

    def area(order: list[int]) -> float:
        kept = torch.zeros(regions, regions, dtype=torch.bool)
        for k in range(regions):
            kept[k, order[: k + 1]] = True
        return float(covering(regions)(kept).mean())

    arbitrary = area(list(range(regions)))
    assert area(orders[1]) - arbitrary > 0.6 * (area(orders[0]) - arbitrary) > 0


def test_phase_win_draws_from_its_generator_alone() -> None:
    worth = torch.rand(30, generator=numbers(7)) / 1000
    flat = Scored(lambda sets: 1 + sets.float() @ worth)  # all are taken, in the order in which they enter the window
    first, again, other = (phase_win_order(flat, 30, numbers(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("samples", [6, 42, 1806, 2549, 2550, 10_000])
def test_samples_are_those_of_a_whole_greedy_search(samples: int) -> None:
    regions = regions_for(samples)
    assert regions * (regions + 1) <= samples
    assert regions == 50 or (regions + 1) * (regions + 2) > samples


@pytest.mark.parametrize("name", SEARCHES)
def test_images_are_a_set_of_superpixels_on_grey_and_all_others(
    name: str, asked: Callable[..., AttributionRequest], image: Tensor
) -> None:
    request = asked(network := Shown(), image, 0, 2, samples=30)
    network.images.clear()
    found = get_method(name).attribute(request)
    levels = found[0].unique()
    regions = len(levels)
    torch.testing.assert_close(levels, torch.arange(1, regions + 1) / regions)
    pictures = torch.stack(network.images)
    assert ((pictures == 0) | (pictures == image)).all()
    assert float((pictures.sum(dim=0).abs() > 0).float().mean()) > 0.9
    if name == "greedy_superpixels":
        assert len(pictures) == 2 * (regions * (regions + 1) - 2) + (pictures[0] == image[0]).all()


def test_greedy_ranks_superpixels_by_what_they_add_to_the_probability(
    attribute: Attribute, linear: nn.Module, image: Tensor
) -> None:
    """No other superpixel makes the class likelier by itself, and unlikelier by its absence, than the first one."""
    (found,) = attribute("greedy_superpixels", linear, image, 1)
    regions = [found == level for level in found.unique()]

    def worth(kept: Tensor) -> float:
        with torch.no_grad():
            shown, rest = linear(torch.cat([image * kept, image * ~kept])).softmax(dim=1)[:, 1].tolist()
        return shown + 1 - rest

    assert worth(regions[-1]) == pytest.approx(max(map(worth, regions)), abs=1e-5)
    pairs = [worth(regions[-1] | other) for other in regions[:-1]]
    assert worth(regions[-1] | regions[-2]) == pytest.approx(max(pairs), abs=1e-5)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_targets_map_depends_on_no_other_target(
    name: str, attribute: Attribute, convolutional: nn.Module, image: Tensor
) -> None:
    together = attribute(name, convolutional, image, 2, 1, samples=60)
    assert torch.equal(together[1:], attribute(name, convolutional, image, 1, samples=60))


@pytest.mark.parametrize("name", SEARCHES)
def test_the_bear_comes_before_the_rest(name: str, mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    x, frame = mobilenet.preprocess(sample("black_bear"))
    with mobilenet.frozen():
        (ranks,) = get_method(name).attribute(AttributionRequest(mobilenet, x, (295,), CompareSpec(samples=110)))
    on_photograph = frame.mask_to_image(ranks.numpy())
    in_frame = on_photograph > 0
    inside = torch.zeros(on_photograph.shape, dtype=torch.bool).numpy()
    inside[115:307, 196:431] = True
    assert on_photograph[inside & in_frame].mean() > 1.2 * on_photograph[~inside & in_frame].mean()
