"""The layer that Grad-CAM and excitation backprop read: the one that is named, else their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn

from ep_core.errors import UnknownName
from ep_core.methods.base.method import MethodUnavailable
from ep_core.methods.base.registry import get_method
from ep_core.schemas.specs import METHODS, CompareSpec
from tests.unit.ep_core.light_vgg import light_vgg

Attribute = Callable[..., Tensor]
READERS = ("grad_cam", "excitation_backprop", "contrastive_excitation_backprop")
SIDE = 64


@pytest.fixture(scope="module")
def vgg() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return light_vgg("vgg16", 3)


@pytest.fixture
def x() -> Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("method", "layer"),
    [
        ("grad_cam", "features.29"),
        ("excitation_backprop", "features.23"),
        ("contrastive_excitation_backprop", "features.23"),
    ],
)
def test_the_default_is_read_and_another_where_it_is_named(
    method: str, layer: str, vgg: nn.Module, x: Tensor, attribute: Attribute, asked: Callable[..., object]
) -> None:
    model = asked(vgg, x, 0).model
    found = attribute(method, vgg, x, 0, 1)
    assert get_method(method).layer(model, CompareSpec()) == layer
    assert torch.equal(found, attribute(method, vgg, x, 0, 1, layer=layer))
    assert not torch.allclose(found, attribute(method, vgg, x, 0, 1, layer="features.16"))
    assert get_method(method).layer(model, CompareSpec(layer="features.16")) == "features.16"


def test_all_others_read_none() -> None:
    assert {name for name in METHODS if get_method(name).layer is not None} == set(READERS)


@pytest.mark.parametrize("method", READERS)
def test_a_layer_that_there_is_not_is_refused_with_the_nearest_names(
    method: str, vgg: nn.Module, x: Tensor, attribute: Attribute
) -> None:
    with pytest.raises(UnknownName) as refused:
        attribute(method, vgg, x, 0, layer="feature.29")
    assert "features.29" in refused.value.nearest


@pytest.mark.parametrize("method", READERS)
def test_a_network_of_tokens_says_what_to_name(method: str, attribute: Attribute) -> None:
    network = torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3)
    nn.init.normal_(network.heads.head.weight)
    image = torch.rand(1, 3, 32, 32)
    with pytest.raises(MethodUnavailable, match="'conv_proj'"):
        attribute(method, network, image, 0)


def test_the_patch_embedding_is_read_where_it_is_named(attribute: Attribute) -> None:
    torch.manual_seed(0)
    network = torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3)
    nn.init.normal_(network.heads.head.weight)
    found = attribute("grad_cam", network, torch.rand(1, 3, 32, 32), 0, 1, 2, layer="conv_proj")
    assert found.shape == (3, 32, 32)
    assert found.any()
