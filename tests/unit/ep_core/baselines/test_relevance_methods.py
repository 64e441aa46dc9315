"""Methods that propagate relevance, on whole networks: the real one, untrained ones, and unsupported ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn

from ep_core.methods import contrastive_excitation_backprop, excitation_backprop, lrp
from ep_core.methods.base.method import AttributionRequest, Method, MethodUnavailable
from ep_core.models import Classifier, Frame
from ep_core.schemas.specs import CompareSpec
from tests.unit.ep_core.light_vgg import light_vgg

Asked = Callable[..., AttributionRequest]
METHODS = {
    "lrp": lrp.METHOD,
    "excitation_backprop": excitation_backprop.METHOD,
    "contrastive_excitation_backprop": contrastive_excitation_backprop.METHOD,
}
BEAR_BOX = (slice(115, 307), slice(196, 431))  # rows and columns of the photograph


@pytest.fixture(scope="module")
def bear(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> tuple[Tensor, Frame]:
    return mobilenet.preprocess(sample("black_bear"))


@pytest.fixture(scope="module", params=list(METHODS))
def method(request: pytest.FixtureRequest) -> Method:
    return METHODS[request.param]


@pytest.fixture(scope="module")
def bear_maps(mobilenet: Classifier, bear: tuple[Tensor, Frame], method: Method) -> Tensor:
    """Maps of the bear and of the goose, which isn't in the photograph."""
    with mobilenet.frozen():
        return method.attribute(AttributionRequest(mobilenet, bear[0], (295, 99), CompareSpec()))


def test_bear_is_where_the_map_is_high(bear: tuple[Tensor, Frame], bear_maps: Tensor) -> None:
    assert bear_maps.shape == (2, 224, 224)
    assert bear_maps.isfinite().all()
    shown = (bear_maps[0].clamp(min=0) / bear_maps[0].max()).numpy()
    on_photograph = torch.from_numpy(bear[1].mask_to_image(shown))
    inside = torch.zeros_like(on_photograph, dtype=torch.bool)
    inside[BEAR_BOX] = True
    assert on_photograph[inside].mean() > 2 * on_photograph[~inside].mean()
    assert inside.flatten()[on_photograph.argmax()]


def test_another_class_has_another_map(bear_maps: Tensor, method: Method) -> None:
    alike = torch.corrcoef(bear_maps.flatten(1))[0, 1]
    assert alike < (0.999 if method is excitation_backprop.METHOD else 0.5)


def test_targets_do_not_mix(
    mobilenet: Classifier, bear: tuple[Tensor, Frame], bear_maps: Tensor, method: Method
) -> None:
    with mobilenet.frozen():
        alone = method.attribute(AttributionRequest(mobilenet, bear[0], (99,), CompareSpec()))
    torch.testing.assert_close(alone[0], bear_maps[1], rtol=1e-2, atol=float(alone.abs().max()) / 100)


def test_network_is_left_as_it_was(mobilenet: Classifier, bear: tuple[Tensor, Frame], method: Method) -> None:
    network = mobilenet.network
    before = {name: value.clone() for name, value in network.state_dict().items()}
    settings = [(type(module), module.training, module.extra_repr()) for module in network.modules()]
    with mobilenet.frozen():
        method.attribute(AttributionRequest(mobilenet, bear[0], (295,), CompareSpec()))
    assert [(type(module), module.training, module.extra_repr()) for module in network.modules()] == settings
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())


@pytest.fixture(scope="module", params=["resnet18", "vgg11"])
def untrained(request: pytest.FixtureRequest) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if request.param == "vgg11":
            return light_vgg("vgg11", 5)
        return torchvision.models.resnet18(weights=None, num_classes=5)


def test_plain_and_residual_networks_are_explained(untrained: nn.Module, method: Method, asked: Asked) -> None:
    request = asked(untrained, torch.rand(1, 3, 96, 128), 0, 4)
    with request.model.frozen():
        maps = method.attribute(request)
    assert maps.shape == (2, 96, 128)
    assert maps.isfinite().all()
    assert (maps[0] - maps[1]).abs().max() > 0


class Untraceable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.below = nn.Conv2d(3, 3, 1)
        self.score = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.below(x)
        return self.score(x.mean(dim=(2, 3)) if x.sum() > 0 else x.amax(dim=(2, 3)))


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Conv2d(3, 3, 1)
        self.score = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.score((x * torch.relu(self.gate(x))).mean(dim=(2, 3)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: torchvision.models.efficientnet_b0(weights=None), r"'custom': it has no rule for SiLU \(at features"),
        (Gated, "no rule for a product of two activations"),
        (Untraceable, "torch.fx, which can't trace this one"),
    ],
)
def test_network_without_a_rule_is_refused_in_words(
    make: Callable[[], nn.Module], words: str, method: Method, asked: Asked
) -> None:
    request = asked(make(), torch.rand(1, 3, 64, 64), 0)
    with pytest.raises(MethodUnavailable, match=words), request.model.frozen():
        method.attribute(request)


@pytest.mark.slow
def test_what_was_asked_before_is_freed(asked: Asked) -> None:
    """Its activations are 50 MB; a cycle through the backward pass would keep them for good."""
    network = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64 * 111 * 111, 2))
    request = asked(network, torch.rand(1, 3, 224, 224), 0, 1)
    with request.model.frozen():
        lrp.METHOD.attribute(request)
        before = resident_bytes()
        for _ in range(14):
            lrp.METHOD.attribute(request)
    assert resident_bytes() - before < 500e6  # the C library keeps some of what is freed


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
