"""Networks with each ReLU as a module of its own: which are supported, and that they compute the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from ep_core.methods.base.method import MethodUnavailable
from ep_core.methods.relevance.rewrite import with_relu_modules
from ep_core.models import Classifier

RELUS = {"resnet18": 17, "googlenet": 57, "vgg11": 10, "densenet121": 121, "squeezenet1_0": 26}


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    extra = {"init_weights": False} if name == "googlenet" else {}
    return torchvision.models.get_model(name, weights=None, num_classes=7, **extra).eval().requires_grad_(False)


def relus(network: nn.Module) -> list[nn.ReLU]:
    return [module for module in network.modules() if isinstance(module, nn.ReLU)]


def check(network: nn.Module, copy: nn.Module, count: int) -> None:
    x = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    calls: list[nn.Module] = []
    for relu in relus(copy):
        relu.register_forward_hook(lambda module, _inputs, _output: calls.append(module))
    with torch.no_grad():
        torch.testing.assert_close(copy(x), network(x), rtol=1e-4, atol=1e-5)
    assert len(calls) == len(set(calls)) == count
    assert not any(relu.inplace for relu in relus(copy))


@pytest.mark.slow
@pytest.mark.parametrize("name", RELUS)
def test_a_rewritten_network_scores_the_same_with_each_relu_called_once(name: str):
    network = made(name)
    check(network, with_relu_modules(network, torch.randn(1, 3, 64, 64)), RELUS[name])


def test_the_real_networks_clipped_relus_are_modules_and_its_weights_its_own(mobilenet: Classifier):
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with mobilenet.frozen() as network:
        copy = with_relu_modules(network, x)
        check(network, copy, 35)
        assert copy is not network
        assert {id(parameter) for parameter in copy.parameters()} == {id(weight) for weight in network.parameters()}
        assert not relus(network)


class Between(nn.Module):
    """A convolution, something, and the mean of each channel."""

    def __init__(self, between: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3)
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        return self.between(self.first(x)).mean((2, 3))


def doubled_in_place(h: Tensor) -> Tensor:
    """Read again what a ReLU in place has changed."""
    rectified = F.relu_(h)
    return rectified + h


def test_what_a_relu_in_place_changed_is_read_as_changed():
    network = Between(doubled_in_place).eval()
    check(network, with_relu_modules(network, torch.randn(1, 3, 9, 9)), 1)


def changed_by_a_view(h: Tensor) -> Tensor:
    part = h[:, :3]
    h.relu_()
    return part * 1


def takes_a_branch(h: Tensor) -> Tensor:
    return h.relu() if h.sum() > 0 else h.abs()


class Attention(nn.Module):
    def forward(self, h: Tensor) -> Tensor:
        rows = h.flatten(2)
        return F.scaled_dot_product_attention(rows, rows, rows).view_as(h)


REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "SiLU": (nn.Sequential(nn.ReLU(), nn.SiLU()), "has SiLU$"),
    "gelu": (F.gelu, "has gelu$"),
    "gate": (lambda h: h * h.sigmoid(), "has sigmoid$"),
    "leaky": (lambda h: F.leaky_relu(F.relu(h)), "has leaky_relu$"),
    "tanh": (nn.Hardtanh(), "has Hardtanh$"),
    "attention": (Attention(), "has scaled_dot_product_attention$"),
    "branch": (takes_a_branch, "torch.fx can't trace it .TraceError"),
    "view": (changed_by_a_view, "scores differ$"),
}


@pytest.mark.parametrize(("between", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_other_networks_are_refused_in_words(between: Callable[[Tensor], Tensor], words: str):
    with pytest.raises(MethodUnavailable, match=f"defined for networks of ReLUs.*{words}") as refused:
        with_relu_modules(Between(between).eval(), torch.randn(1, 3, 9, 9))
    assert refused.value.field == "methods"


@pytest.mark.parametrize("method", ["deconvnet", "guided_backprop"])
def test_the_methods_refuse_efficientnet(method: str, attribute: Callable[..., Tensor]):
    network = made("efficientnet_b0")
    with pytest.raises(MethodUnavailable, match="this one has SiLU, Sigmoid"):
        attribute(method, network, torch.randn(1, 3, 64, 64), 0)
