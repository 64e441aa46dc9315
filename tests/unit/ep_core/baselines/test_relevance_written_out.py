"""Relevance through operations that are written out: padding, and functions in the place of modules."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ep_core.methods import lrp
from ep_core.methods.base.method import AttributionRequest, MethodUnavailable
from ep_core.methods.relevance.network import Rules, hand_down
from ep_core.methods.relevance.propagation import Box, Epsilon, Excitation, Gamma, PropagationRule
from ep_core.models import Classifier, Preprocessing
from ep_core.schemas.specs import CompareSpec

SIDE = 12
RULES = {"epsilon": Epsilon(1e-9), "gamma": Gamma(0.25), "excitation": Excitation()}


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


X = numbers(1, 3, SIDE, SIDE, seed=1)


class Plain(nn.Module):
    """Padded convolutions with batch norms, as everybody writes them."""

    def __init__(self, *, bias: bool = True) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=bias)
        self.norm = nn.BatchNorm2d(6) if bias else nn.Identity()
        self.second = nn.Conv2d(6, 4, (3, 5), padding=(1, 2), groups=2, bias=bias)
        self.pool = nn.AvgPool2d(2)
        self.score = nn.Linear(36, 3, bias=bias)
        with torch.no_grad():
            for k, value in enumerate(self.state_dict().values()):
                if value.is_floating_point():
                    value.copy_(numbers(*value.shape, seed=k) - (0 if value.ndim == 1 else 0.4))
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.first(x)))
        x = torch.relu(self.second(x))
        return self.score(torch.flatten(self.pool(x), 1))


class Padded(Plain):
    """The same with padding as modules."""

    def __init__(self, *, bias: bool = True) -> None:
        super().__init__(bias=bias)
        self.around = nn.ZeroPad2d(1)
        self.beside = nn.ZeroPad2d((2, 2, 1, 1))
        self.first.padding = self.second.padding = (0, 0)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.first(self.around(x))))
        x = torch.relu(self.second(self.beside(x)))
        return self.score(torch.flatten(self.pool(x), 1))


class Functional(Plain):
    """The same of functions: padding, convolutions, batch norm, the dense layer."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(F.pad(x, (1, 1, 1, 1)), self.first.weight, self.first.bias, 2)
        norm = self.norm
        if isinstance(norm, nn.BatchNorm2d):
            x = F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.1, norm.eps)
        x = F.pad(torch.relu(x), (2, 2, 1, 1), mode="constant", value=0.0)
        x = torch.relu(F.conv2d(x, self.second.weight, bias=self.second.bias, groups=2))
        return F.linear(torch.flatten(F.avg_pool2d(x, 2), 1), self.score.weight, self.score.bias)


class Standardised(Plain):
    """A first convolution whose weights are computed from others in each pass."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.first.weight - self.first.weight.mean(dim=(1, 2, 3), keepdim=True)
        x = torch.relu(self.norm(F.conv2d(x, weight, self.first.bias, 2, 1)))
        x = torch.relu(self.second(x))
        return self.score(torch.flatten(self.pool(x), 1))


def request(network: nn.Module, *targets: int, check: bool = True) -> AttributionRequest:
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=(0.2, 0.3, 0.4), std=(0.5, 0.6, 0.7))
    network.eval().requires_grad_(False)
    return AttributionRequest(
        Classifier(network, preprocessing=preprocessing, check=check), X, targets or (0, 2), CompareSpec()
    )


def rules(rule: PropagationRule) -> Rules:
    bounds = torch.tensor([-0.4, -0.5, -0.6])[:, None, None], torch.tensor([1.6, 1.2, 0.9])[:, None, None]
    return Rules(hidden=rule, dense=rule, pixels=Box(*bounds), last=rule)


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("written", [Padded, Functional])
def test_relevance_is_that_of_the_same_network_written_in_modules(written: type[Plain], rule: str) -> None:
    torch.testing.assert_close(written()(X), Plain()(X))
    expected = hand_down(request(Plain()), rules(RULES[rule]), "LRP", start=None)
    found = hand_down(request(written()), rules(RULES[rule]), "LRP", start=None)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6 * float(expected.abs().max()))
    assert expected.abs().max() > 0


@pytest.mark.parametrize("rule", list(RULES))
def test_weights_that_are_computed_are_followed_as_they_come_out(rule: str) -> None:
    plain = Plain()
    plain.first.weight -= plain.first.weight.mean(dim=(1, 2, 3), keepdim=True)
    expected = hand_down(request(plain), rules(RULES[rule]), "LRP", start=None)
    found = hand_down(request(Standardised()), rules(RULES[rule]), "LRP", start=None)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6 * float(expected.abs().max()))


def test_weights_that_depend_on_the_image_are_refused() -> None:
    network = Turned(lambda x: x + F.conv2d(x, x[:1, :, :1, :1]))
    with pytest.raises(MethodUnavailable, match="no rule for conv2d"):
        hand_down(request(network, 0, check=False), rules(Excitation()), "MWP", start=1.0)


@pytest.mark.parametrize("written", [Plain, Padded, Functional])
def test_relevance_adds_up_to_the_score_without_biases(written: type[Plain]) -> None:
    network = written(bias=False)
    relevance = lrp.METHOD.attribute(request(network, 0, 1, 2))
    torch.testing.assert_close(relevance.sum(dim=(1, 2)), network(X)[0], rtol=1e-3, atol=1e-5)


def by_hand(x: Tensor, weight: Tensor, relevance: Tensor) -> Tensor:
    """Excitation through a 2 x 2 convolution of one channel, of an image that is padded, output by output."""
    padded = torch.zeros(x.shape[0] + 3, x.shape[1] + 1)
    padded[1:-2, 1:] = x
    given = torch.zeros_like(padded)
    for row in range(relevance.shape[0]):
        for column in range(relevance.shape[1]):
            patch = slice(row, row + 2), slice(column, column + 2)
            shares = padded[patch].clamp(min=0) * weight.clamp(min=0)
            if shares.sum() > 0:
                given[patch] += shares / shares.sum() * relevance[row, column]
    return given[1:-2, 1:]


def test_padding_on_some_sides_is_what_a_sum_over_outputs_gives() -> None:
    weight = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    x = numbers(4, 5)
    convolution = nn.Conv2d(1, 1, 2, bias=False)
    convolution.weight.data = weight[None, None]
    mean = nn.Conv2d(3, 1, 1, bias=False)
    mean.weight.data.fill_(1 / 3)
    network = nn.Sequential(mean, nn.ZeroPad2d((1, 0, 1, 2)), convolution, nn.Flatten(), nn.Linear(30, 1, bias=False))
    network[4].weight.data = numbers(1, 30, seed=3)
    image = x.expand(1, 3, 4, 5)
    preprocessing = Preprocessing(input_size=(4, 5), mean=(0, 0, 0), std=(1, 1, 1))
    network.eval().requires_grad_(False)
    asked = AttributionRequest(Classifier(network, preprocessing=preprocessing), image, (0,), CompareSpec())
    excitation = Excitation()
    every = Rules(hidden=excitation, dense=excitation, pixels=excitation, last=excitation)
    found = hand_down(asked, every, "MWP", start=1.0, layer="0")[0, 0]
    outputs = network[:3](image)[0, 0].clamp(min=0)
    shares = outputs * network[4].weight.view(6, 5)
    torch.testing.assert_close(found, by_hand(x, weight, shares / shares.sum()))
    assert found.sum() == pytest.approx(1)


class Turned(nn.Module):
    """A convolution whose output goes through something else before it is scored."""

    def __init__(self, then: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.below = nn.Conv2d(3, 4, 3, bias=False)
        self.then = then
        self.score = nn.Linear(4, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.then(torch.relu(self.below(x))).mean(dim=(2, 3)))


@pytest.mark.parametrize(
    "then",
    [
        nn.ReflectionPad2d(2),
        nn.ReplicationPad2d(1),
        lambda x: F.pad(x, (1, 2, 0, 1), mode="reflect"),
        nn.Upsample(scale_factor=2),
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
        lambda x: x / 2,
        lambda x: torch.stack([x, x], dim=1).sum(dim=1),
        nn.PixelShuffle(1),
        nn.PReLU(),
    ],
)
def test_nothing_is_lost_where_values_move_are_averaged_or_scaled(then: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    network = Turned(then)
    excitation = Excitation()
    every = Rules(hidden=excitation, dense=excitation, pixels=excitation, last=excitation)
    won = hand_down(request(network, 0, 1), every, "MWP", start=1.0)
    torch.testing.assert_close(won.sum(dim=(1, 2, 3)), torch.ones(2))


def test_batch_norm_of_the_batchs_own_statistics_is_refused() -> None:
    network = Turned(lambda x: F.batch_norm(x, None, None, training=True))
    with pytest.raises(MethodUnavailable, match="no rule for batch_norm"):
        hand_down(request(network, check=False), rules(Excitation()), "MWP", start=1.0)


def test_a_constant_over_an_activation_is_refused() -> None:
    network = Turned(lambda x: 1 / (1 + x))
    with pytest.raises(MethodUnavailable, match="no rule for truediv"):
        hand_down(request(network), rules(Excitation()), "MWP", start=1.0)


def test_a_folded_batch_norm_is_read_at_its_convolution() -> None:
    excitation = Excitation()
    every = Rules(hidden=excitation, dense=excitation, pixels=excitation, last=excitation)
    for network in (Plain(), Padded()):
        read = hand_down(request(network), every, "MWP", start=1.0, layer="norm")
        same = hand_down(request(network), every, "MWP", start=1.0, layer="first")
        assert torch.equal(read, same)
        assert read.shape == (2, 6, 6, 6)
