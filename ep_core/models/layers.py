"""Layers of a network that have channels."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.schemas.model_card import ListedLayer

from .default_layers import with_defaults, without_defaults
from .products import ProductsSeen

MOST_TOKENS = 0.25
"""The share of a network's layers with weights that may come after its last map and compute tokens: a map that more
of them follow, such as the patch embedding of a transformer, is nowhere near the output."""


@dataclass(frozen=True)
class _Call:
    """A module that was called, the network itself left out."""

    name: str
    module: nn.Module
    shape: tuple[int, ...] | None
    """Of its output, for a batch of two; None where that isn't a tensor."""
    is_product: bool
    """Whether that is a product of two activations, such as attention."""

    @property
    def has_weights(self) -> bool:
        """Whether it has weights of its own."""
        return next(self.module.parameters(recurse=False), None) is not None


@torch.no_grad()
def find_layers(
    network: nn.Module, input_size: tuple[int, int], device: torch.device | None = None, channels: int = 3
) -> list[ListedLayer]:
    """Return the layers whose channels can be explained, in the order in which they are computed.

    These are the modules that are called once in a pass and give one tensor N x K x H x W, H and W in proportion to
    the input's. Matrices of attention are none, nor are maps with their channels last (Swin has those inside). Each
    says what it is the default for (`default_layers`); in a network of tokens none is a default. TorchScript takes no
    hooks, and an exported program has no such modules: they show none.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode; on the ``meta`` device it costs next to nothing.
        input_size: height and width of its input, in pixels.
        device: of the network; None: that of its parameters.
        channels: of its input.
    """
    device = device or next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    calls: list[_Call] = []
    _note_calls(calls, network, (channels, *input_size), device)
    names = [call.name for call in calls]
    maps = {k: size for k, call in enumerate(calls) if (size := _map_size(call, input_size))}
    maps = _channels_first(network, (channels, *input_size), device, calls, maps)
    layers = {k: _card(calls[k], size) for k, size in maps.items() if names.count(calls[k].name) == 1}
    last = _last_map(calls, maps, layers)
    if last is None:
        return without_defaults([*layers.values()])
    return with_defaults([*layers.values()], input_size, last)


def _note_calls(calls: list[_Call], network: nn.Module, image: tuple[int, int, int], device: torch.device) -> None:
    """Add what a network calls for two images of C x H x W, each as it is done."""
    zeros = torch.zeros(2, *image, device=device)
    products = ProductsSeen(zeros)
    with _watched(network, lambda *call: calls.append(_call(products, *call))), products:
        network(zeros)


def _call(products: ProductsSeen, name: str, module: nn.Module, output: Any) -> _Call:
    if not isinstance(output, Tensor):
        return _Call(name, module, None, False)
    return _Call(name, module, tuple(output.shape), products.holds(output))


@contextmanager
def _watched(network: nn.Module, note: Callable[[str, nn.Module, Any], None]) -> Iterator[None]:
    """Note every module that takes hooks and its output as it is done, the network itself left out."""

    def hook(name: str) -> Callable[..., None]:
        return lambda module, _inputs, output: note(name, module, output)

    named = [
        (name, one) for name, one in network.named_modules() if name and not isinstance(one, torch.jit.ScriptModule)
    ]
    handles = [module.register_forward_hook(hook(name)) for name, module in named]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


MapSize = tuple[int, int, int]


def _map_size(call: _Call, input_size: tuple[int, int]) -> MapSize | None:
    """Return K, H and W of a module's output; None where that's no map of channels."""
    shape = call.shape
    if shape is None or len(shape) != 4 or shape[0] != 2 or call.is_product:
        return None
    _, channels, height, width = shape
    return (channels, height, width) if _in_proportion(height, width, input_size) else None


def _in_proportion(height: int, width: int, input_size: tuple[int, int]) -> bool:
    return abs(height * input_size[1] - width * input_size[0]) <= max(input_size)  # a cell is rounding


def _channels_first(
    network: nn.Module,
    image: tuple[int, int, int],
    device: torch.device,
    calls: Sequence[_Call],
    maps: dict[int, MapSize],
) -> dict[int, MapSize]:
    """Leave out the maps whose channels come last: as many as rows and columns, they look like others.

    An input of twice the width distinguishes them, if the network takes it.
    """
    input_size = image[1:]
    doubtful = {k for k, (channels, height, _) in maps.items() if _in_proportion(channels, height, input_size)}
    if not doubtful:
        return maps
    wide = input_size[0], 2 * input_size[1]
    again: list[_Call] = []
    with suppress(Exception):  # networks fail in many ways
        _note_calls(again, network, (image[0], *wide), device)
    sizes = {call.name: _map_size(call, wide) for call in again}
    return {k: size for k, size in maps.items() if k not in doubtful or sizes.get(calls[k].name)}


def _card(call: _Call, size: MapSize) -> ListedLayer:
    channels, height, width = size
    return ListedLayer(name=call.name, type=type(call.module).__name__, channels=channels, height=height, width=width)


def _last_map(calls: Sequence[_Call], maps: Container[int], layers: Mapping[int, ListedLayer]) -> ListedLayer | None:
    """Return the layer that shows what the last weights of a network give for each place of the image.

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


def _has_places(call: _Call) -> bool:
    """Return whether an output has values of several places: it is neither a vector nor N x K x 1 x 1."""
    return call.shape is not None and len(call.shape) > 2 and math.prod(call.shape[2:]) > 1
