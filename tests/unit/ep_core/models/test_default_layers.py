"""The layers that are read where none is named, of networks without their weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn

from ep_core.errors import InvalidInput, UnknownName
from ep_core.models.layers import find_layers
from ep_core.models.named_layer import resolve_layer
from ep_core.schemas.model_card import ListedLayer, TokenLayout
from tests.unit.ep_core.light_vgg import light_vgg

pytestmark = pytest.mark.slow


def layers_of(make: Callable[[], nn.Module], side: int = 224) -> list[ListedLayer]:
    with torch.device("meta"):
        return find_layers(make().eval(), (side, side))


def defaults(layers: list[ListedLayer]) -> dict[str, str]:
    return {use: card.name for card in layers for use in card.default_for or ()}


@pytest.mark.parametrize(
    ("name", "grad_cam", "excitation", "channels"),
    [
        ("vgg16", "features.29", "features.23", "features.29"),  # as TorchRay reads it
        ("resnet50", "layer4", "layer3", "layer3"),
        ("googlenet", "inception5b", "inception4e", "inception4d"),  # section 5 reads the last one
    ],
)
def test_the_papers_networks_are_read_where_the_paper_reads_them(
    name: str, grad_cam: str, excitation: str, channels: str
) -> None:
    found = defaults(layers_of(lambda: torchvision.models.get_model(name, weights=None)))
    assert found == {"grad_cam": grad_cam, "excitation_backprop": excitation, "channels": channels}


@pytest.mark.parametrize(
    ("name", "side", "grad_cam", "sixteenth"),
    [
        ("alexnet", 224, "features.11", "features.11"),
        ("vgg19", 224, "features.35", "features.35"),
        ("vgg11_bn", 224, "features.27", "features.27"),
        ("resnet18", 224, "layer4", "layer3"),
        ("resnext50_32x4d", 224, "layer4", "layer3"),
        ("wide_resnet50_2", 224, "layer4", "layer3"),
        ("densenet121", 224, "features", "features.denseblock3"),
        ("inception_v3", 299, "Mixed_7c", "Mixed_6e"),
        ("mobilenet_v2", 224, "features", "features.13"),
        ("mobilenet_v3_small", 224, "features", "features.8"),
        ("efficientnet_b0", 224, "features", "features.5"),
        ("efficientnet_v2_s", 384, "features", "features.5"),
        ("convnext_tiny", 224, "features", "features.5"),
        ("mnasnet0_5", 224, "layers", "layers.11"),
        ("shufflenet_v2_x0_5", 224, "conv5", "stage3"),
        ("squeezenet1_0", 224, "features", "features"),
        ("swin_t", 224, "permute", "permute"),
        ("swin_v2_t", 256, "permute", "permute"),
        ("maxvit_t", 224, "blocks.3", "blocks.2"),
    ],
)
def test_every_family_is_read_at_a_map_near_its_output(name: str, side: int, grad_cam: str, sixteenth: str) -> None:
    found = defaults(layers_of(lambda: torchvision.models.get_model(name, weights=None), side))
    assert found == {"grad_cam": grad_cam, "excitation_backprop": sixteenth, "channels": sixteenth}


def test_regnets_are_too() -> None:  # they can't be made without memory
    layers = find_layers(torchvision.models.regnet_y_400mf(weights=None).eval(), (224, 224))
    assert defaults(layers)["grad_cam"] == "trunk_output"
    assert defaults(layers)["channels"] == "trunk_output.block3"


@pytest.mark.parametrize("name", ["vgg16", "mobilenet_v2", "inception_v3", "shufflenet_v2_x0_5", "swin_t"])
def test_a_default_is_a_map_of_channels_that_the_scores_follow_from(name: str) -> None:
    """Its output is N x K x h x w, it moves where the image does, and every class has a gradient in it."""
    torch.manual_seed(0)
    made = light_vgg(name, 3) if name == "vgg16" else torchvision.models.get_model(name, weights=None, num_classes=3)
    network = made.eval().requires_grad_(False)
    for card in find_layers(network, (224, 224)):
        if not card.default_for:
            continue
        seen: list[Tensor] = []
        layer = network.get_submodule(card.name)
        handle = layer.register_forward_hook(
            lambda _module, _inputs, output, seen=seen: seen.append(output.requires_grad_())
        )
        scores = network(torch.rand(1, 3, 224, 224))
        handle.remove()
        assert seen[0].shape == (1, card.channels, card.height, card.width)
        for score in scores[0]:
            (gradient,) = torch.autograd.grad(score, seen[0], retain_graph=True)
            assert gradient.any()


@pytest.mark.parametrize(
    ("library", "name", "side", "default", "tokens"),
    [
        ("torchvision", "vit_b_16", 224, "encoder.layers.encoder_layer_11.ln_1", ("tokens", 1)),
        ("timm", "vit_tiny_patch16_224", 224, "blocks.11.norm1", ("tokens", 1)),
        ("timm", "deit_tiny_distilled_patch16_224", 224, "blocks.11.norm1", ("tokens", 2)),
        ("timm", "vit_small_patch14_reg4_dinov2", 518, "blocks.11.norm1", ("tokens", 5)),
        ("timm", "vit_base_patch16_siglip_224", 224, "norm", ("tokens", 0)),  # all tokens go into its last attention
        ("timm", "swin_tiny_patch4_window7_224", 224, "layers.3.blocks.1.norm1", ("channels_last", 0)),
        ("timm", "mixer_b16_224", 224, "norm", ("tokens", 0)),
        ("timm", "vit_small_r26_s32_224", 224, "blocks.11.norm1", ("tokens", 1)),  # a hybrid, not half way
    ],
)
def test_a_network_of_tokens_is_read_at_the_last_norm_before_an_attention(
    library: str, name: str, side: int, default: str, tokens: tuple[str, int]
) -> None:
    make = torchvision.models.get_model if library == "torchvision" else pytest.importorskip("timm").create_model
    layers = layers_of(lambda: make(name), side)
    assert defaults(layers) == {"channels": default, "grad_cam": default, "excitation_backprop": default}
    layout = resolve_layer(default, layers, model=name).tokens
    assert layout is not None
    assert (layout.order, layout.class_tokens) == tokens


def test_a_network_of_tokens_without_norms_has_no_default_and_takes_a_name() -> None:
    timm = pytest.importorskip("timm")
    layers = layers_of(lambda: timm.create_model("resmlp_12_224"))
    assert defaults(layers) == {}
    for use in ("channels", "grad_cam", "excitation_backprop"):
        with pytest.raises(InvalidInput, match=r"near its output.*Name a layer all the same \(`layer`: 'blocks.11"):
            resolve_layer(None, layers, model="resmlp_12_224", use=use)
    assert resolve_layer("stem.proj", layers, model="resmlp_12_224").channels == 384


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("swin_base_patch4_window7_224", 224),  # 49 x 49 matrices of attention
        ("swinv2_tiny_window8_256", 256),  # 64 x 64, as a map of cells of 4 pixels would be
        ("vit_tiny_patch16_224", 224),
    ],
)
def test_attention_is_no_layer(name: str, side: int) -> None:
    timm = pytest.importorskip("timm")
    layers = layers_of(lambda: timm.create_model(name, pretrained=False), side)
    assert [card.name for card in layers if card.tokens is None] == ["patch_embed.proj"]
    assert not [card.name for card in layers if card.name.endswith(("softmax", "attn_drop", "q_norm", "k_norm"))]
    with pytest.raises(UnknownName):
        resolve_layer("layers.3.blocks.1.attn.softmax", layers, model=name)


def test_attention_with_heads_mixed_by_convolutions_is_no_layer_either() -> None:
    timm = pytest.importorskip("timm")
    layers = layers_of(lambda: timm.create_model("efficientformerv2_s0", pretrained=False))
    assert not [card.name for card in layers if "talking_head" in card.name]
    assert defaults(layers)["grad_cam"] == "norm"


def test_channels_that_come_last_are_told_apart_where_they_are_as_many_as_rows_and_columns() -> None:
    """ConvNeXt for images of 384 pixels has 96 channels in 96 x 96 cells, last within its blocks."""
    layers = layers_of(lambda: torchvision.models.convnext_tiny(weights=None), 384)
    stage = {card.name: card for card in layers if card.name.startswith("features.1.0.block.")}
    first = {name: card.tokens for name, card in stage.items() if card.channels == 96}
    last = TokenLayout(order="channels_last")
    assert first == {f"features.1.0.block.{k}": last if k in (1, 2, 5) else None for k in (0, 1, 2, 5, 6)}
    assert {(card.height, card.width) for card in stage.values()} == {(96, 96)}


def test_a_small_network_that_ends_in_dense_layers_is_read_at_its_last_map() -> None:
    def lenet() -> nn.Module:
        below = (nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2))
        dense = (nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
        return nn.Sequential(*below, nn.Flatten(), *dense)

    assert defaults(layers_of(lenet, 32))["grad_cam"] == "4"
