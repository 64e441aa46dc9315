"""Networks in two at a layer: the tail sees the masked activation, and everything else as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn

from ep_core.models import Classifier, Preprocessing
from ep_core.models.layers import find_layers
from ep_core.models.split import split
from ep_core.schemas.model_card import TokenLayout
from tests.unit.ep_core.light_vgg import light_vgg

SIZE = (64, 64)
NETWORKS = {
    "mobilenet_v2": ("features.0.0", "features.3.conv.0", "features.5", "features.13", "features.18.1"),
    "resnet18": ("conv1", "layer1.0.bn2", "layer2.0.downsample", "layer3.0.conv1", "layer3"),
    "googlenet": ("inception3a.branch3", "inception4d", "inception4e.branch1.conv", "inception5b.branch4.1.bn"),
    "vgg11": ("features.1", "features.10", "features.20"),
    "densenet121": ("features.denseblock2.denselayer8.conv2", "features.denseblock3.denselayer3.norm1"),
    "squeezenet1_0": ("features.3.expand1x1", "features.12.squeeze"),
}


class Branching(nn.Module):
    """Takes a branch by the numbers it computes, which cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3)
        self.second = nn.Conv2d(6, 4, 3)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = x.relu() if x.sum() > 0 else x.abs()
        return self.head(self.second(x).mean((2, 3)))


class Sized(Branching):
    """Writes the batch's size into its graph."""

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        return self.head(self.second(self.first(x)).reshape(batch, 4, -1).mean(2))


class InPlace(Branching):
    """Changes the layer's output, and what goes past it, in place."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        skip = x[:, :4, 1:-1, 1:-1]
        x.relu_()
        skip += self.second(x)
        return self.head(skip.mul_(2).mean((2, 3)))


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    if name == "vgg11":
        return light_vgg("vgg11", 7).eval().requires_grad_(False)
    extra = {"init_weights": False} if name == "googlenet" else {}
    return torchvision.models.get_model(name, weights=None, num_classes=7, **extra).eval().requires_grad_(False)


def masked_by_a_hook(network: nn.Module, layer: str, x: Tensor, masks: Tensor) -> Tensor:
    """The slow way: the whole network, once for each mask."""
    rows = []
    for mask in masks:
        hook = network.get_submodule(layer).register_forward_hook(lambda _m, _i, output, mask=mask: output * mask)
        with torch.no_grad():
            rows.append(network(x))
        hook.remove()
    return torch.cat(rows)


def check(network: nn.Module, layer: str, x: Tensor) -> None:
    with torch.no_grad():
        original = network(x)
    parts = split(network, layer, x)
    with torch.no_grad():
        assert torch.equal(parts.scores(torch.ones(1, parts.channels, 1, 1)), original)
    masks = torch.rand(3, parts.channels, 1, 1, generator=torch.Generator().manual_seed(1))
    expected = masked_by_a_hook(network, layer, x, masks)
    with torch.no_grad():
        torch.testing.assert_close(parts.scores(masks), expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(parts.tuned.scores(masks), expected, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(parts.head(x), parts.activation, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(parts.tuned.head(x), parts.activation, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_all_channels_give_the_original_score_exactly_and_masks_what_the_whole_network_gives(name: str) -> None:
    network = made(name)
    x = torch.rand(1, 3, *SIZE)
    for layer in NETWORKS[name]:
        check(network, layer, x)
        assert isinstance(split(network, layer, x).tail, torch.fx.GraphModule), f"{layer} is not cut"


@pytest.mark.parametrize("kind", [Branching, Sized, InPlace])
@pytest.mark.parametrize("layer", ["first", "second"])
def test_networks_that_cannot_be_cut_are_right_too(kind: Callable[[], nn.Module], layer: str) -> None:
    torch.manual_seed(0)
    check(kind().eval().requires_grad_(False), layer, torch.rand(1, 3, 16, 16))


def test_the_tail_computes_only_what_follows() -> None:
    parts = split(made("resnet18"), "layer4", torch.rand(1, 3, *SIZE))
    assert [name for name, _ in parts.tail.named_children()] == ["avgpool", "fc"]


def test_no_hook_is_left_behind() -> None:
    network = made("resnet18")
    split(network, "layer3", torch.rand(1, 3, *SIZE))
    find_layers(network, SIZE)
    assert not any(module._forward_hooks for module in network.modules())


def test_gradients_reach_the_mask_as_through_the_whole_network() -> None:
    network, x = made("resnet18"), torch.rand(1, 3, *SIZE)
    mask = torch.rand(1, 128, 1, 1, requires_grad=True)
    (ours,) = torch.autograd.grad(split(network, "layer2", x).scores(mask)[0, 3], mask)
    hook = network.layer2.register_forward_hook(lambda _m, _i, output: output * mask)
    (whole,) = torch.autograd.grad(network(x)[0, 3], mask)
    hook.remove()
    torch.testing.assert_close(ours, whole, rtol=1e-4, atol=1e-6)


def test_layers_are_those_with_channels_in_the_order_of_computation() -> None:
    layers = find_layers(made("resnet18"), SIZE)
    by_name = {layer.name: layer for layer in layers}
    assert (by_name["layer3"].channels, by_name["layer3"].height, by_name["layer3"].width) == (256, 4, 4)
    assert by_name["layer3"].type == "Sequential"
    assert "fc" not in by_name  # no channels
    assert "layer1.0.relu" not in by_name  # called twice
    names = [layer.name for layer in layers]
    assert names.index("conv1") < names.index("layer1.0.conv1") < names.index("layer1") < names.index("layer4")


def test_maps_that_keep_their_channels_last_say_so() -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.turn = nn.Identity()
            self.norm = nn.LayerNorm(3)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.turn(x).permute(0, 2, 3, 1)).mean((1, 2))

    found = {layer.name: layer.tokens for layer in find_layers(Last(), SIZE)}
    assert found == {"turn": None, "norm": TokenLayout(order="channels_last")}


def test_a_classifier_lists_its_layers_and_stays_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.BatchNorm2d(5), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network.train()
    preprocessing = Preprocessing(input_size=(32, 48), mean=(0, 0, 0), std=(1, 1, 1))
    model = Classifier(network, preprocessing=preprocessing, labels=range(5))
    assert [(layer.name, layer.channels, layer.height, layer.width) for layer in model.layers] == [
        ("0", 5, 15, 23),
        ("1", 5, 15, 23),
        ("2", 5, 1, 1),
    ]
    assert network.training


def test_the_tuned_parts_are_folded() -> None:
    """Batch norm is part of the convolutions before it, in the head and in the tail."""
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.Flatten()
    ).eval()
    parts = split(network, "2", torch.rand(1, 3, 16, 16)).tuned
    assert not [one for part in (parts.head, parts.tail) for one in part.modules() if isinstance(one, nn.BatchNorm2d)]
