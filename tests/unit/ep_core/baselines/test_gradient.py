"""The gradient."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Attribute = Callable[..., Tensor]


def test_the_gradient_of_a_linear_network_is_its_weights(attribute: Attribute, linear: nn.Module, image: Tensor):
    found = attribute("gradient", linear, image, 2, 0)
    weights = linear[1].weight.detach()[[2, 0]].view(2, *image.shape[1:])
    torch.testing.assert_close(found, weights.abs().max(dim=1).values)


def test_the_gradient_agrees_with_small_steps(attribute: Attribute, convolutional: nn.Module, image: Tensor):
    found = attribute("gradient", convolutional, image, 1)
    network, x = convolutional.eval().double(), image.double()
    steps = torch.zeros(3, *image.shape[1:]).double()
    steps[range(3), range(3), 7, 9] = 1e-5  # one for each colour
    with torch.no_grad():
        slopes = (network(x + steps) - network(x - steps))[:, 1] / 2e-5
    torch.testing.assert_close(found[0, 7, 9].double(), slopes.abs().max(), rtol=1e-4, atol=0)
