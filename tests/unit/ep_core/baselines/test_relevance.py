"""Relevance: rules against sums done by hand, and small networks against captum and gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from ep_core.methods import lrp
from ep_core.methods.base.method import AttributionRequest, MethodUnavailable
from ep_core.methods.relevance.network import Rules, hand_down
from ep_core.methods.relevance.propagation import (
    Box,
    ContrastiveExcitation,
    Epsilon,
    Excitation,
    Gamma,
    LinearMap,
    PropagationRule,
)
from ep_core.models import Classifier, Preprocessing
from ep_core.schemas.specs import CompareSpec

X = torch.tensor([[1.0, 2.0, -3.0]])
LAYER = LinearMap(nn.functional.linear, torch.tensor([[1.0, -1.0, 2.0], [2.0, 3.0, -1.0]]))  # X gives -7 and 11


@pytest.fixture(autouse=True)
def same_weights() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def request(network: nn.Module, x: Tensor, targets: tuple[int, ...] = (0,)) -> AttributionRequest:
    preprocessing = Preprocessing(input_size=(x.shape[2], x.shape[3]), mean=(0, 0, 0), std=(1, 1, 1))
    for parameter in network.eval().parameters():
        parameter.requires_grad_(False)
    return AttributionRequest(Classifier(network, preprocessing=preprocessing, check=False), x, targets, CompareSpec())


def everywhere(rule: PropagationRule) -> Rules:
    return Rules(hidden=rule, dense=rule, pixels=rule, last=rule)


def numbers(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("rule", "outputs", "inputs"),
    [
        # contributions (1, -2, -6) and (2, 6, 3)
        (Epsilon(0), [7.0, 11.0], [-1.0 + 2, 2.0 + 6, 6.0 + 3]),
        # (1, -4, -12), of which -15, and twice (2, 6, 3)
        (Gamma(1), [7.0, 11.0], [-7 / 15 + 2, 28 / 15 + 6, 84 / 15 + 3]),
        # (-2, -6) alone, as -7 is negative, and (2, 6, 3)
        (Gamma(float("inf")), [7.0, 11.0], [2.0, 7 * 2 / 8 + 6, 7 * 6 / 8 + 3]),
        # with inputs of -4 to 4: (1 + 4, -2 + 4, -6 + 8) and (2 + 8, 6 + 12, 3 + 4)
        (Box(torch.tensor(-4.0), torch.tensor(4.0)), [9.0, 35.0], [5.0 + 10, 2.0 + 18, 2.0 + 7]),
        # (1, 0, 0) and (2, 6, 0)
        (Excitation(), [1.0, 2.0], [1 + 2 * 2 / 8, 2 * 6 / 8, 0.0]),
        # less, for the dual, (0, 2, 0) and nothing
        (ContrastiveExcitation(), [1.0, 2.0], [1 + 2 * 2 / 8, 2 * 6 / 8 - 1, 0.0]),
    ],
)
def test_rule_hands_down_in_proportion_to_its_contributions(
    rule: PropagationRule, outputs: list[float], inputs: list[float]
) -> None:
    handed_down = rule.hand_down(torch.tensor([outputs]), X, LAYER)
    torch.testing.assert_close(handed_down, torch.tensor([inputs]))


def test_bias_keeps_its_share() -> None:
    layer = LinearMap(nn.functional.linear, torch.tensor([[1.0, 1.0]]), torch.tensor([2.0]))
    x = torch.tensor([[3.0, 5.0]])
    torch.testing.assert_close(Epsilon(0).hand_down(torch.tensor([[20.0]]), x, layer), torch.tensor([[6.0, 10.0]]))
    torch.testing.assert_close(Gamma(1).hand_down(torch.tensor([[20.0]]), x, layer), torch.tensor([[6.0, 10.0]]))


@pytest.mark.parametrize("rule", [Gamma(0.25), Excitation(), Box(torch.tensor(0.0), torch.tensor(1.0))])
def test_outputs_that_nothing_contributes_to_give_zeros(rule: PropagationRule) -> None:
    handed_down = rule.hand_down(torch.ones(1, 2), torch.zeros(1, 3), LAYER)
    assert handed_down.isfinite().all()


class Residual(nn.Module):
    """An image plus twice its channels in turn, summed up: the second class scores minus that."""

    def __init__(self, add: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.add = add
        self.turned = nn.Conv2d(3, 3, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.score = nn.Linear(3, 2, bias=False)
        with torch.no_grad():
            self.turned.weight.copy_(2 * torch.eye(3).roll(1, dims=1)[:, :, None, None])
            self.score.weight.copy_(torch.tensor([[1.0], [-1.0]]).expand(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.score(torch.flatten(self.add(self.relu(self.turned(x)), x), 1))


def add_in_place(a: Tensor, b: Tensor) -> Tensor:
    a += b
    return a


@pytest.mark.parametrize("add", [lambda a, b: a + b, torch.add, lambda a, b: b.add(a), add_in_place])
def test_sum_of_activations_splits_relevance_between_them(add: Callable[[Tensor, Tensor], Tensor]) -> None:
    x = torch.tensor([1.0, 2.0, 3.0])[None, :, None, None]  # turned (4, 6, 2), summed (5, 8, 5), scores 18
    won = hand_down(request(Residual(add), x), everywhere(Excitation()), "MWP", start=1.0)
    expected = torch.tensor([1 + 2, 2 + 4, 3 + 6]) / 18  # what goes straight, and what comes by the turn
    torch.testing.assert_close(won.flatten(), expected)


def test_weighted_sum_is_refused_instead_of_taken_for_a_plain_one() -> None:
    x = numbers(1, 3, 1, 1)
    network = Residual(lambda a, b: torch.add(a, b, alpha=2))
    with pytest.raises(MethodUnavailable, match="no rule for add"):
        hand_down(request(network, x), everywhere(Excitation()), "MWP", start=1.0)


def test_layer_that_is_not_in_the_graph_is_refused() -> None:
    with pytest.raises(MethodUnavailable, match="the output of 'nowhere'"):
        hand_down(
            request(Residual(torch.add), numbers(1, 3, 1, 1)),
            everywhere(Excitation()),
            "MWP",
            start=1.0,
            layer="nowhere",
        )


class Mixed(nn.Module):
    """Network with all operations that have a rule, batch norm that can't be folded among them."""

    def __init__(self, *, bias: bool = True) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1, stride=2, bias=bias)
        self.norm = nn.BatchNorm2d(6) if bias else nn.Identity()
        self.pool = nn.MaxPool2d(2)
        self.second = nn.Conv2d(3, 6, 3, padding=1, bias=bias)
        self.score = nn.Linear(12, 3, bias=bias)
        for buffer in (*self.norm.buffers(), *self.norm.parameters()):
            buffer.data = buffer + numbers(*buffer.shape)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(torch.relu(self.norm(nn.functional.relu(self.first(x), inplace=True))))
        half, _ = x.chunk(2, dim=1)
        x = torch.cat([nn.functional.relu6(self.second(half)) + x, x * 0.5], dim=1)
        return self.score(nn.functional.adaptive_avg_pool2d(x, 1).view(x.size(0), -1))


def test_epsilon_rule_is_the_gradient_times_the_input() -> None:
    network, x = Mixed(), numbers(1, 3, 12, 12).requires_grad_()
    handed_down = hand_down(request(network, x.detach(), (2, 0)), everywhere(Epsilon(1e-9)), "LRP", start=None)
    for target, ours in zip((2, 0), handed_down, strict=True):
        (gradient,) = torch.autograd.grad(network(x)[0, target], x)
        torch.testing.assert_close(ours, (gradient * x)[0], rtol=1e-3, atol=1e-5)


class Plain(nn.Module):
    """Network of operations that captum's LRP supports."""

    def __init__(self) -> None:
        super().__init__()
        self.below = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3), nn.ReLU())
        self.score = nn.Linear(45, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(torch.flatten(self.below(x), 1))


def test_epsilon_rule_agrees_with_captum() -> None:
    captum = pytest.importorskip("captum.attr")
    network, x = Plain(), numbers(1, 3, 12, 12)
    ours = hand_down(request(network, x, (3,)), everywhere(Epsilon(1e-9)), "LRP", start=None)
    theirs = captum.LRP(copy.deepcopy(network)).attribute(x.clone().requires_grad_(), target=3)
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-3, atol=1e-6)


def test_lrp_adds_up_to_the_score_without_biases() -> None:
    network, x = Mixed(bias=False), numbers(1, 3, 12, 12) + 0.1
    asked = request(network, x, (0, 1, 2))
    relevance = lrp.METHOD.attribute(asked)
    torch.testing.assert_close(relevance.sum(dim=(1, 2)), network(x)[0], rtol=1e-3, atol=1e-5)


def test_winning_probabilities_add_up_to_one_and_their_contrast_to_zero() -> None:
    network, x = Mixed(bias=False), numbers(1, 3, 12, 12) + 0.1
    asked = request(network, x, (0, 1))
    pixels = hand_down(asked, everywhere(Excitation()), "MWP", start=1.0)
    assert (pixels >= 0).all()
    torch.testing.assert_close(pixels.sum(dim=(1, 2, 3)), torch.ones(2))
    excitation = Excitation()
    rules = Rules(hidden=excitation, dense=excitation, pixels=excitation, last=ContrastiveExcitation())
    contrast = hand_down(asked, rules, "cMWP", start=1.0)
    torch.testing.assert_close(contrast.sum(dim=(1, 2, 3)), torch.zeros(2), rtol=0, atol=1e-5)


def test_excitation_is_read_at_the_layer_asked_for() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1, bias=False))
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[3].weight.copy_(torch.tensor([[1.0, 0, 0, 1, 0, 0, 0, 2]]))
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).expand(1, 3, 2, 2)
    won = hand_down(request(network, x), everywhere(Excitation()), "MWP", start=1.0, layer="1")
    # ReLU gives (3, 6; 9, 12) in both channels: 3 and 12 of the first are weighted 1, 12 of the second 2
    torch.testing.assert_close(won, torch.tensor([[[[3.0, 0], [0, 12]], [[0, 0], [0, 24]]]]) / 39)
