"""iGOS++: its objective against its formula, its gradient and line search, and masks of spots and a photograph."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ep_core.methods.base.method import AttributionRequest
from ep_core.methods.igos_plus_plus import METHOD, NOISE, STEPS, Objective, blurred, edge_weights, line_search
from ep_core.models import Classifier
from ep_core.schemas.specs import CompareSpec


class Silent(torch.nn.Module):
    """Probabilities of two classes for 1 x 3 x H x W, smooth in the image."""

    def forward(self, x: Tensor) -> Tensor:
        total = x.mean(dim=(1, 2, 3)) * 3
        return torch.stack([total, total**2], dim=1).softmax(dim=1)


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def slow_objective(network: nn.Module, x: Tensor, masks: Tensor, target: int, seed: int) -> float:
    """Term by term, point by point: the score along four paths, area, and both kinds of variation."""
    generator = torch.Generator().manual_seed(seed)
    size = tuple(x.shape[2:])
    deletion, insertion = (
        F.interpolate(mask[None, None], size, mode="bilinear", align_corners=True)[0, 0] for mask in masks
    )
    dull = blurred(x)
    total = 0.0
    for mask, deletes in (
        (deletion * insertion, True),
        (deletion * insertion, False),
        (deletion, True),
        (insertion, False),
    ):
        for first in range(0, STEPS, 8):
            points = range(first, min(STEPS, first + 8))
            noise = torch.randn(len(points), *x.shape[1:], generator=generator) * NOISE
            for k, point in enumerate(points):
                kept = mask * (point + 1) / STEPS
                shown = kept * x + (1 - kept) * dull if deletes else (1 - kept) * x + kept * dull
                probability = float(network(shown + noise[k])[0, target])
                total += (probability if deletes else -probability) / STEPS
    both = (masks[0] * masks[1]).tolist()
    cells = [1 - value for row in both for value in row]
    rough = slow_variation(masks[0] * masks[1], None)
    up = F.interpolate((masks[0] * masks[1])[None, None], size, mode="bilinear", align_corners=True)[0, 0]
    rough += slow_variation(up, x)
    return total + 10 * sum(cells) / len(cells) + 20 * rough / 2


def slow_variation(mask: Tensor, x: Tensor | None) -> float:
    total = 0.0
    for down, right in ((1, 0), (0, 1)):
        height, width = mask.shape[0] - down, mask.shape[1] - right
        found = 0.0
        for i in range(height):
            for j in range(width):
                weight = 1.0
                if x is not None:
                    apart = x[0, :, i + down, j + right] - x[0, :, i, j]
                    weight = float((-(apart**2) / 0.01).exp().mean())
                found += weight * float(mask[i + down, j + right] - mask[i, j]) ** 2
        total += found / (height * width)
    return total


def test_objective_is_that_of_a_slow_one() -> None:
    x, masks = numbers(1, 3, 30, 34), numbers(2, 28, 28, seed=1)
    found = Objective(Silent(), x, 0, torch.Generator().manual_seed(3)).value(masks)
    torch.testing.assert_close(found, slow_objective(Silent(), x, masks, 0, seed=3), rtol=1e-4, atol=1e-4)


def test_gradient_is_half_of_the_scores_and_all_of_the_penalty() -> None:
    x, masks = numbers(1, 3, 30, 34), 0.1 + 0.8 * numbers(2, 28, 28, seed=1)
    along = torch.randn(2, 28, 28, generator=torch.Generator().manual_seed(2))
    step = 1e-2

    def objective() -> Objective:  # the same noise each time
        return Objective(Silent(), x, 0, torch.Generator().manual_seed(3))

    def slope(value: Callable[[Tensor], float]) -> float:
        return (value(masks + step * along) - value(masks - step * along)) / (2 * step)

    penalty = slope(lambda moved: float(objective().penalty(moved)))
    scores = slope(lambda moved: objective().value(moved)) - penalty
    found = float((objective().gradient(masks) * along).sum())
    assert abs(scores) > 1e-4
    torch.testing.assert_close(found, scores / 2 + penalty, rtol=2e-2, atol=2e-4)


def test_alike_neighbours_count_and_edges_do_not() -> None:
    x = torch.zeros(1, 3, 4, 4)
    x[..., 2:] = 1
    down, across = edge_weights(x)
    assert (down == 1).all()
    assert (across[:, [0, 2]] == 1).all()
    assert (across[:, 1] < 1e-9).all()


def test_line_search_takes_the_first_step_that_lowers_enough() -> None:
    masks = torch.full((2, 2, 2), 0.9)
    tried: list[Tensor] = []

    def parabola(candidate: Tensor) -> float:
        tried.append(candidate)
        return float((candidate - 0.5).square().sum())

    found = line_search(parabola, masks, 2 * (masks - 0.5))
    # From 0.9, steps of 1000, 200, 40, 8 and 1.6 end at 0 (clamped): 0.25 a cell, more than the 0.16 at the start.
    # 0.32 ends at 0.9 - 0.32 * 0.8.
    torch.testing.assert_close(found, torch.full((2, 2, 2), 0.644))
    assert len(tried) == 1 + 6


def test_line_search_gives_up_with_a_tiny_step() -> None:
    masks = torch.full((2, 2, 2), 0.5)
    found = line_search(lambda candidate: float((candidate - 0.5).abs().sum()), masks, torch.ones_like(masks))
    assert 0 < float((masks - found).max()) < 1e-5


def test_map_depends_on_the_seed_and_not_on_other_targets(
    attribute: Callable[..., Tensor], convolutional: nn.Module, image: Tensor
) -> None:
    both = attribute("igos_plus_plus", convolutional, image, 0, 1, iterations=2)
    assert both.shape == (2, 24, 36)
    assert torch.equal(both[1:], attribute("igos_plus_plus", convolutional, image, 1, iterations=2))
    assert not torch.equal(both[1:], attribute("igos_plus_plus", convolutional, image, 1, iterations=2, seed=4))


def test_bear_has_to_go_more_than_the_rest(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    x, frame = mobilenet.preprocess(sample("black_bear"))
    small = F.interpolate(x, (112, 112), mode="area")  # four hundred passes of a quarter of the pixels
    shares: list[float] = []
    with mobilenet.frozen():
        found = METHOD.attribute(AttributionRequest(mobilenet, small, (295,), CompareSpec(iterations=1), shares.append))
    (gone,) = F.interpolate(found[None], (224, 224), mode="bilinear")[0]
    assert shares == [1.0]
    assert gone.min() >= 0
    assert gone.max() <= 1
    on_photograph = frame.mask_to_image(gone.numpy())
    in_frame = frame.mask_to_image(torch.ones(224, 224).numpy()) > 0
    inside = torch.zeros(on_photograph.shape, dtype=torch.bool).numpy()
    inside[115:307, 196:431] = True
    assert on_photograph[inside].mean() > 1.3 * on_photograph[~inside & in_frame].mean()
