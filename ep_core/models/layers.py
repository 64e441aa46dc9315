"""Layers of a network that have channels."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence

import torch
from torch import nn

from ep_core.schemas.model_card import ListedLayer

from .calls import Call, calls_of
from .default_layers import with_defaults, with_one_default, without_defaults
from .map_shapes import MapShape, map_shapes
from .scalar import unscored

MOST_TOKENS = 0.25
"""The share of a network's layers with weights that may come after its last map N x K x H x W and compute tokens: a map
that more of them follow, such as the patch embedding of a transformer, is nowhere near the output."""


@torch.no_grad()
def find_layers(
    network: nn.Module, input_size: tuple[int, int], device: torch.device | None = None, channels: int = 3
) -> list[ListedLayer]:
    """Return the layers whose channels can be explained, in the order in which they are computed.

    These are the modules that are called once in a pass and give one tensor that is a map (`map_shapes`): N x K x H x W
    or N x H x W x K, H and W in proportion to the input's, or tokens N x T x K. Matrices of attention are none. Each
    says what it is the default for (`default_layers`). TorchScript takes no hooks, and an exported program has no such
    modules: they show none.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode; on the ``meta`` device it costs next to nothing. Of one
            whose outputs are made scores (`Scored`), the layers are those of the network inside.
        input_size: height and width of its input, in pixels.
        device: of the network; None: that of its parameters.
        channels: of its input.
    """
    network = unscored(network)
    device = device or next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    calls = calls_of(network, (channels, *input_size), device)
    names = [call.name for call in calls]
    maps = map_shapes(calls, input_size, lambda wide: calls_of(network, (channels, *wide), device))
    layers = {k: _card(calls[k], shape) for k, shape in maps.items() if names.count(calls[k].name) == 1}
    plain = {k for k, shape in maps.items() if shape.tokens is None}
    last = _last_map(calls, plain, {k: card for k, card in layers.items() if k in plain})
    if last is not None:
        return with_defaults([*layers.values()], input_size, last)
    norm = _last_norm(calls, {k: card for k, card in layers.items() if k not in plain})
    return without_defaults([*layers.values()]) if norm is None else with_one_default([*layers.values()], norm)


def _card(call: Call, shape: MapShape) -> ListedLayer:
    return ListedLayer(name=call.name, type=type(call.module).__name__, **shape._asdict())


def _last_map(calls: Sequence[Call], maps: Container[int], layers: Mapping[int, ListedLayer]) -> ListedLayer | None:
    """Return the layer N x K x H x W that shows what the last weights of a network give for each place of the image.

    None where many layers that compute tokens follow the last map of several cells.
    """
    cells = {k: card for k, card in layers.items() if card.height * card.width > 1}
    weighted = [k for k, call in enumerate(calls) if call.has_weights]
    of_places = [k for k in weighted if _has_places(calls[k])]
    if not cells:
        return None
    last = next((k for k in cells if of_places and k >= of_places[-1]), max(cells))
    tokens = [k for k in of_places if k > last and k not in maps]
    return cells[last] if len(tokens) <= MOST_TOKENS * len(weighted) else None


def _has_places(call: Call) -> bool:
    """Return whether an output has values of several places: it is neither a vector nor N x K x 1 x 1."""
    return call.shape is not None and len(call.shape) > 2 and math.prod(call.shape[2:]) > 1


def _last_norm(calls: Sequence[Call], layers: Mapping[int, ListedLayer]) -> ListedLayer | None:
    """Return the last norm of tokens that an attention follows: the first one of the last block.

    Behind the last attention, a network that reads its class token has no use for the others. Without any attention, it
    is the last norm of all.
    """
    norms = {k: card for k, card in layers.items() if "norm" in card.type.lower()}
    products = max((call.products for call in calls), default=0)
    attended = [card for k, card in norms.items() if calls[k].products < products or products == 0]
    return attended[-1] if attended else None
