"""Fixtures and helpers that the methods' tests share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ep_core.methods.base.method import AttributionRequest, OnShare, unwatched
from ep_core.methods.base.registry import get_method
from ep_core.models import Classifier, Preprocessing
from ep_core.schemas.specs import CompareSpec

PREPROCESSING = Preprocessing((24, 36), mean=(0.25, 0.5, 0.75), std=(0.5, 0.25, 0.5))  # black is -0.5, -2, -1.5


@pytest.fixture
def asked() -> Callable[..., AttributionRequest]:
    """A function that makes a question about a network, or a classifier: ``asked(network, x, *targets, **spec)``."""

    def ask(
        network: nn.Module | Classifier, x: Tensor, *targets: int, on_share: OnShare = unwatched, **spec: Any
    ) -> AttributionRequest:
        if isinstance(network, nn.Module):
            network = Classifier(network, preprocessing=replace(PREPROCESSING, input_size=tuple(x.shape[2:])))
        return AttributionRequest(network, x, targets, CompareSpec(**spec), on_share)

    return ask


@pytest.fixture
def attribute(asked: Callable[..., AttributionRequest]) -> Callable[..., Tensor]:
    """A function that runs a method: ``attribute(name, network, x, *targets, **spec)``, T x H x W."""

    def answer(name: str, network: nn.Module | Classifier, x: Tensor, *targets: int, **rest: Any) -> Tensor:
        request = asked(network, x, *targets, **rest)
        with request.model.frozen():
            return get_method(name).attribute(request)

    return answer


@pytest.fixture
def image() -> Tensor:
    """1 x 3 x 24 x 36: squares of random colours."""
    colours = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    return PREPROCESSING.normalise(colours).repeat_interleave(6, dim=2).repeat_interleave(6, dim=3)


@pytest.fixture
def linear(image: Tensor) -> nn.Module:
    """A network of three classes whose scores are linear in the image."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(image.numel(), 3))


@pytest.fixture
def convolutional() -> nn.Module:
    """A small network of ReLUs in place, of three classes, for images of any size."""
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU6(inplace=True),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )


class Shown(nn.Module):
    """Keeps the images that it scores by their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.images += list(x)
        return x.mean((2, 3))
