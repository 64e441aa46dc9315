"""SmoothGrad: the mean over noisy copies, and noise from the seed alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Attribute = Callable[..., Tensor]


class HalfSquare(nn.Module):
    """Scores half the sum of the squares of the red channel: its gradient is the red channel itself."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0].square().sum(dim=(1, 2))[:, None] / 2


def test_on_a_linear_network_it_is_the_gradient(attribute: Attribute, linear: nn.Module, image: Tensor):
    found = attribute("smoothgrad", linear, image, 0, 2, samples=5)
    torch.testing.assert_close(found, attribute("gradient", linear, image, 0, 2))


def test_the_noise_is_15_percent_of_the_inputs_range(attribute: Attribute):
    x = torch.full((1, 3, 50, 50), 2.0)
    x[0, 0] = torch.linspace(1, 3, 2500).view(50, 50)
    left = attribute("smoothgrad", HalfSquare(), x, 0, samples=25)[0] - x[0, 0]
    expected = 0.15 * 2 / 25**0.5  # of the mean of 25
    assert abs(float(left.std()) - expected) < 0.05 * expected


def test_the_seed_decides_the_map(attribute: Attribute, convolutional: nn.Module, image: Tensor):
    first, again, other = (attribute("smoothgrad", convolutional, image, 1, samples=4, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_a_targets_map_hangs_on_no_other_target(attribute: Attribute, convolutional: nn.Module, image: Tensor):
    together = attribute("smoothgrad", convolutional, image, 2, 1, samples=11)
    torch.testing.assert_close(together[1:], attribute("smoothgrad", convolutional, image, 1, samples=11))


def test_random_numbers_elsewhere_go_on_as_they_were(attribute: Attribute, convolutional: nn.Module, image: Tensor):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    attribute("smoothgrad", convolutional, image, 1, samples=2)
    assert torch.equal(torch.rand(3), expected)
