"""Copies of networks are freed, with their weights, as soon as nothing uses them: Python's collector is off here."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from ep_core.methods.relevance.rewrite import with_relu_modules
from ep_core.models.split import split
from ep_core.models.tuning.tune import tune

IMAGE = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network() -> Iterator[nn.Module]:
    """A frozen network whose batch norms can be folded."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        found = nn.Sequential(first, nn.Conv2d(4, 5, 3), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    found.eval().requires_grad_(False)
    gc.collect()
    gc.disable()
    yield found
    gc.enable()


def modules() -> int:
    """Number of modules in the process."""
    return sum(issubclass(type(thing), nn.Module) for thing in gc.get_objects())


def tuned(network: nn.Module) -> nn.Module:
    return tune(network, IMAGE)


def relus(network: nn.Module) -> nn.Module:
    return with_relu_modules(network, IMAGE)


def tail(network: nn.Module) -> nn.Module:
    return split(network, "0", IMAGE[:1]).tail


def tuned_tail(network: nn.Module) -> nn.Module:
    return split(network, "0", IMAGE[:1]).tuned.tail


@pytest.mark.parametrize("make", [tuned, relus, tail, tuned_tail])
def test_no_module_stays_when_a_copy_is_let_go(network: nn.Module, make: Callable[[nn.Module], nn.Module]) -> None:
    before = modules()
    copy = make(network)
    assert modules() > before
    del copy
    assert modules() == before
