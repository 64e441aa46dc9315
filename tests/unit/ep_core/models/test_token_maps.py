"""Layers of tokens are maps: their places, their defaults, their scores."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ep_core import ChannelsSpec, explain_channels
from ep_core.errors import InvalidInput
from ep_core.models import Classifier, Preprocessing
from ep_core.models.layers import find_layers
from ep_core.models.split import split
from ep_core.models.token_maps import TokenMap, token_map
from ep_core.schemas.model_card import ListedLayer, TokenLayout
from tests.unit.ep_core.token_networks import DEFAULTS, NETWORKS, SIDE, made

pytestmark = pytest.mark.slow  # timm and transformers take seconds to load

SIZE = (SIDE, SIDE)
TOKENS = TokenLayout(order="tokens", class_tokens=2)


def default(network: nn.Module) -> ListedLayer:
    return next(card for card in find_layers(network, SIZE) if "grad_cam" in (card.default_for or ()))


def output_of(network: nn.Module, layer: str, x: Tensor) -> Tensor:
    seen: list[Tensor] = []
    handle = network.get_submodule(layer).register_forward_hook(lambda _m, _i, output: seen.append(output))
    network(x)
    handle.remove()
    return seen[0]


def picture() -> Tensor:
    return torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_first_norm_of_the_last_block_is_the_default_of_all(name: str) -> None:
    card = default(made(name))
    assert card.default_for == ("channels", "grad_cam", "excitation_backprop")
    assert card.tokens is not None
    assert (card.name, card.height, card.tokens.class_tokens) == DEFAULTS[name]


def test_queries_lie_behind_the_places() -> None:
    card = default(made("huggingface_yolos"))
    assert card.tokens == TokenLayout(order="tokens", class_tokens=1, queries=20)


def test_a_transformer_that_ends_in_a_map_is_read_there() -> None:
    assert default(made("torchvision_swin")).name == "permute"


@pytest.mark.parametrize("name", NETWORKS)
def test_a_patch_of_the_image_lies_at_its_place_in_every_map_before_the_first_attention(name: str) -> None:
    """What mixes places comes later: the first norm of the first block moves at the changed patch alone."""
    network = made(name)
    card = next(card for card in find_layers(network, SIZE) if card.tokens and "norm" in card.type.lower())
    x, other = picture(), picture()
    cell = SIDE // card.height
    other[:, :, cell : 2 * cell, 3 * cell : 4 * cell] = 0
    before, after = (output_of(network, card.name, image) for image in (x, other))
    form = token_map(card.tokens, before, SIZE)
    moved = (form.to_map(after) - form.to_map(before)).abs().sum(1)[0]
    assert moved.shape == (card.height, card.width)
    assert moved.nonzero().tolist() == [[1, 3]]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_place_of_the_default_layer_moves_the_scores(name: str) -> None:
    network = made(name)
    card = default(network)
    parts = split(network, card.name, picture(), card.tokens)
    maps = parts.activation.clone().requires_grad_()
    assert maps.shape == (1, card.channels, card.height, card.width)
    for score in parts.tail(maps)[0]:
        (gradient,) = torch.autograd.grad(score, maps, retain_graph=True)
        assert gradient.abs().sum(1).gt(0).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_masked_channels_score_as_by_a_hook_that_leaves_other_tokens_alone(name: str) -> None:
    network, x = made(name), picture()
    card = default(network)
    masks = torch.rand(2, card.channels, 1, 1, generator=torch.Generator().manual_seed(1))
    parts = split(network, card.name, x, card.tokens)
    first, last = (card.tokens.class_tokens, card.tokens.queries) if card.tokens else (0, 0)

    def masked(output: Tensor, mask: Tensor) -> Tensor:
        if card.tokens is None:
            return output * mask
        factors = mask.flatten().expand_as(output).clone()
        factors[:, :first] = 1
        factors[:, factors.shape[1] - last :] = 1
        return output * factors

    expected = []
    for mask in masks:
        hook = network.get_submodule(card.name).register_forward_hook(lambda _m, _i, out, mask=mask: masked(out, mask))
        expected.append(network(x))
        hook.remove()
    torch.testing.assert_close(parts.scores(masks), torch.cat(expected), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(parts.tuned.scores(masks), torch.cat(expected), rtol=1e-3, atol=1e-4)
    assert torch.equal(parts.scores(torch.ones_like(masks[:1])), network(x))
    torch.testing.assert_close(parts.tuned.head(x), parts.activation, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["timm_registers", "huggingface_swin"])
def test_channels_are_explained_without_naming_a_layer(name: str) -> None:
    preprocessing = Preprocessing(input_size=SIZE, mean=(0.5,) * 3, std=(0.5,) * 3)
    model = Classifier(made(name), preprocessing=preprocessing, labels=list("abc"))
    found = explain_channels(model, picture(), ChannelsSpec(target=1, areas=(8,), iterations=5))
    assert found.layer.name == DEFAULTS[name][0]
    assert found.activation.shape == (found.layer.channels, 4, 4)


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        (TokenMap(None, 2, 3), (2, 5, 2, 3)),
        (TokenMap(TokenLayout(order="channels_last"), 2, 3), (2, 2, 3, 5)),
        (TokenMap(TOKENS, 2, 3), (2, 8, 5)),
        (TokenMap(TokenLayout(order="tokens"), 2, 3), (2, 6, 5)),
        (TokenMap(TokenLayout(order="tokens", class_tokens=1, queries=4), 2, 3), (2, 11, 5)),
    ],
)
def test_a_map_goes_back_to_where_it_came_from(form: TokenMap, shape: tuple[int, ...]) -> None:
    output = torch.rand(shape)
    maps = form.to_map(output)
    assert maps.shape == (2, 5, 2, 3)
    assert torch.equal(form.to_output(maps, form.others_of(output)), output)


def test_an_image_of_another_size_has_a_map_of_its_proportions() -> None:
    form = token_map(TOKENS, torch.zeros(1, 2 + 4 * 6, 5), (64, 96))
    assert (form.height, form.width) == (4, 6)
    with pytest.raises(InvalidInput, match="23 tokens fill no map"):
        token_map(TOKENS, torch.zeros(1, 2 + 23, 5), (64, 96))


class Rearranging(nn.Module):
    """Tokens behind a module that puts them in another order, as Hiera has one."""

    class Unroll(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flip(1)

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.in_rows = nn.Identity()
        self.unroll = self.Unroll()
        self.norm = nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.unroll(self.in_rows(self.patches(x).flatten(2).transpose(1, 2)))).mean(1)


def test_tokens_in_another_order_are_no_map() -> None:
    assert [card.name for card in find_layers(Rearranging(), SIZE)] == ["patches", "in_rows"]


class Transposing(nn.Module):
    """Tokens as rows of a matrix N x K x T, K a little more than the patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 18, 8, 8)
        self.flat = nn.Flatten(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.flat(self.patches(x)).mean(2)


def test_channels_by_places_are_no_tokens() -> None:
    assert [card.name for card in find_layers(Transposing(), SIZE)] == ["patches"]
