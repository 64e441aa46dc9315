"""The layer that Grad-CAM and excitation backprop read: the one that is named, else their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ep_core.errors import UnknownName
from ep_core.methods.base.method import MethodUnavailable
from ep_core.methods.base.registry import get_method
from ep_core.schemas.specs import METHODS, CompareSpec
from tests.unit.ep_core.light_vgg import light_vgg
from tests.unit.ep_core.token_networks import made

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


def test_a_network_of_tokens_has_a_layer_for_grad_cam_and_no_rules_for_excitation(attribute: Attribute) -> None:
    network, image = made("torchvision_vit"), torch.rand(1, 3, 32, 32)
    assert attribute("grad_cam", network, image, 0).any()
    for method in READERS[1:]:
        with pytest.raises(MethodUnavailable, match="no rule for"):
            attribute(method, network, image, 0)


def test_the_patch_embedding_is_read_where_it_is_named(attribute: Attribute) -> None:
    found = attribute("grad_cam", made("torchvision_vit"), torch.rand(1, 3, 32, 32), 0, 1, 2, layer="conv_proj")
    assert found.shape == (3, 32, 32)
    assert found.any()


class Last(nn.Module):
    """ReLUs and linear layers on a map whose channels come last; the tail sums it."""

    def __init__(self, layout: str) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.layout = layout
        self.cells = nn.Conv2d(3, 6, 8, 8)
        self.turned = nn.Identity()
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cells(x).relu()
        if self.layout == "first":
            return self.head(self.turned(x).mean((2, 3)))
        if self.layout == "last":
            return self.head(self.turned(x.permute(0, 2, 3, 1)).mean((1, 2)))
        return self.head(self.turned(x.flatten(2).transpose(1, 2)).mean(1))


@pytest.mark.parametrize("layout", ["last", "tokens"])
@pytest.mark.parametrize("method", READERS)
def test_a_map_is_read_alike_however_it_lies(method: str, layout: str, attribute: Attribute) -> None:
    image = torch.rand(1, 3, 32, 64, generator=torch.Generator().manual_seed(0))
    found = attribute(method, Last(layout), image, 0, 2, layer="turned")
    assert found.flatten(1).std(1).gt(0).all()
    torch.testing.assert_close(found, attribute(method, Last("first"), image, 0, 2, layer="turned"))
