"""Occlusion: against a loop over windows, and how many images it scores."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ep_core.methods.base.registry import get_method

Attribute = Callable[..., Tensor]


def by_a_loop(network: nn.Module, x: Tensor, target: int, window: tuple[int, int], stride: tuple[int, int]) -> Tensor:
    """The map of one target: windows from the upper left, until one reaches the end."""
    height, width = x.shape[2:]
    drops, windows = torch.zeros(height, width), torch.zeros(height, width)
    score = network(x)[0, target]
    for top in range(0, height - window[0] + stride[0], stride[0]):
        for left in range(0, width - window[1] + stride[1], stride[1]):
            where = slice(top, top + window[0]), slice(left, left + window[1])
            occluded = x.clone()
            occluded[0, :, *where] = 0
            drops[where] += score - network(occluded)[0, target]
            windows[where] += 1
    return drops / windows


@pytest.mark.parametrize(
    ("size", "window", "stride"),
    [((28, 42), (4, 6), (1, 2)), ((56, 61), (8, 9), (2, 2)), ((5, 9), (1, 1), (1, 1))],
)
def test_it_is_the_mean_drop_over_the_windows_that_cover_a_pixel(
    size: tuple[int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    attribute: Attribute,
    convolutional: nn.Module,
):
    x = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0))
    found = attribute("occlusion", convolutional, x, 1, 0)
    convolutional.eval()
    with torch.no_grad():
        for target, drops in zip((1, 0), found, strict=True):
            torch.testing.assert_close(drops, by_a_loop(convolutional, x, target, window, stride), rtol=1e-4, atol=1e-6)


class Counting(nn.Module):
    """Counts the images that it has scored."""

    def __init__(self) -> None:
        super().__init__()
        self.images = 0

    def forward(self, x: Tensor) -> Tensor:
        self.images += len(x)
        return x.mean((2, 3))


@pytest.mark.parametrize("targets", [(0,), (2, 0, 1)])
def test_each_occluded_image_is_scored_once_for_all_targets(targets: tuple[int, ...], asked: Callable[..., object]):
    request = asked(network := Counting(), torch.ones(1, 3, 224, 224), *targets)
    network.images = 0
    method = get_method("occlusion")
    assert method.attribute(request).shape == (len(targets), 224, 224)
    assert network.images == method.passes == 1 + 25 * 25
