"""DeConvNet and guided backprop: their rules for ReLUs, however a network writes its ReLUs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

Attribute = Callable[..., Tensor]

FIRST = torch.tensor([[1.0, -1, 0, 0], [0, 0, 1, 2], [1, 0, -3, 0]])
SECOND = torch.tensor([[2.0, -1, 3], [-1, 1, 1]])
X = torch.tensor([2.0, 1, 1, 1]).expand(1, 3, 1, 4)  # the hidden units are 1, 3, -1


class TwoLayers(nn.Module):
    """Reads the red channel's four pixels: three hidden units, two classes."""

    def __init__(self, between: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(FIRST), nn.Parameter(SECOND)
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(self.between(F.linear(x[:, 0].flatten(1), self.first)), self.second)


RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "module": nn.ReLU(),
    "module in place": nn.ReLU(inplace=True),
    "ReLU6 in place": nn.ReLU6(inplace=True),
    "F.relu": F.relu,
    "F.relu in place": lambda h: F.relu(h, inplace=True),
    "F.relu6": F.relu6,
    "torch.relu": torch.relu,
    "method": lambda h: h.relu(),
    "method in place": lambda h: h.relu_(),
}


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS.keys())
def test_guided_backprop_passes_what_is_positive_both_ways(attribute: Attribute, relu: Callable[[Tensor], Tensor]):
    # Class 0 sends back 2, -1, 3: only the first unit is active and asked for. Class 1, -1, 1, 1: only the second.
    found = attribute("guided_backprop", TwoLayers(relu), X, 0, 1)
    assert found[:, 0].tolist() == [[2, 2, 0, 0], [0, 0, 1, 2]]


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS.keys())
def test_deconvnet_passes_what_is_positive_on_the_way_back(attribute: Attribute, relu: Callable[[Tensor], Tensor]):
    # Class 0 passes 2, 0, 3 back: 2 (1, -1, 0, 0) + 3 (1, 0, -3, 0). Class 1 passes 0, 1, 1.
    found = attribute("deconvnet", TwoLayers(relu), X, 0, 1)
    assert found[:, 0].tolist() == [[5, 2, 9, 0], [1, 0, 2, 2]]


def test_what_goes_past_a_relu_keeps_its_gradient(attribute: Attribute):
    network = TwoLayers(lambda h: F.relu(h) + h)
    # Past the ReLU goes 2, -1, 3, and 2, 0, 3 (deconvnet) or 2, 0, 0 (guided) through it.
    assert attribute("deconvnet", network, X, 0)[0, 0].tolist() == [10, 4, 19, 2]
    assert attribute("guided_backprop", network, X, 0)[0, 0].tolist() == [7, 4, 10, 2]


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, h: Tensor) -> Tensor:
        return self.relu(self.relu(h) - 2)  # 1, 3, -1 -> 1, 3, 0 -> -1, 1, -2


def test_a_module_called_twice_has_two_rules(attribute: Attribute):
    found = attribute("guided_backprop", TwoLayers(Twice()), X, 0, 1)
    assert found[:, 0].tolist() == [[0, 0, 0, 0], [0, 0, 1, 2]]


def test_the_ceiling_of_relu6_stops_what_it_clips(attribute: Attribute):
    found = attribute("guided_backprop", TwoLayers(nn.ReLU6()), 3 * X, 0, 1)  # hidden 3, 9, -3
    assert found[:, 0].tolist() == [[2, 2, 0, 0], [0, 0, 0, 0]]


def test_without_a_relu_both_are_the_gradient(attribute: Attribute, linear: nn.Module, image: Tensor):
    expected = attribute("gradient", linear, image, 0)
    for name in ("deconvnet", "guided_backprop"):
        torch.testing.assert_close(attribute(name, linear, image, 0), expected)
