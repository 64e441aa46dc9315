"""The layers of a network that have channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .card import LayerCard


@torch.no_grad()
def find_layers(network: nn.Module, input_size: tuple[int, int], device: torch.device | None = None) -> list[LayerCard]:
    """Return the layers whose channels can be explained, in the order in which they are computed.

    These are the modules that are called once in a pass and give one tensor N x K x H x W, H and W in proportion to
    the input's (networks that keep their channels last inside, such as Swin, have few). TorchScript takes no hooks, and
    an exported program has no such modules: they show none.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode; on the ``meta`` device it costs next to nothing.
        input_size: height and width of its input, in pixels.
        device: where it is; None asks its parameters.
    """
    device = device or next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    zeros = torch.zeros(2, 3, *input_size, device=device)
    seen: list[tuple[str, Any]] = []
    with _watched(network, lambda name, output: seen.append((name, output))):
        network(zeros)
    calls = [name for name, _ in seen]
    return [
        LayerCard(name=name, type=type(network.get_submodule(name)).__name__, channels=k, height=height, width=width)
        for name, shape in seen
        if calls.count(name) == 1 and (size := _map_size(shape, input_size))
        for k, height, width in [size]
    ]


@contextmanager
def _watched(network: nn.Module, note: Callable[[str, Any], None]) -> Iterator[None]:
    """Note the name and the output's shape of every module that takes hooks, the network itself left out."""

    def hook(name: str) -> Callable[..., None]:
        return lambda _module, _inputs, output: note(name, tuple(output.shape) if isinstance(output, Tensor) else None)

    named = [
        (name, one) for name, one in network.named_modules() if name and not isinstance(one, torch.jit.ScriptModule)
    ]
    handles = [module.register_forward_hook(hook(name)) for name, module in named]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _map_size(shape: tuple[int, ...] | None, input_size: tuple[int, int]) -> tuple[int, int, int] | None:
    """Return K, H and W of a module's output for a batch of two; None where that's no map of channels."""
    if shape is None or len(shape) != 4 or shape[0] != 2:
        return None
    _, channels, height, width = shape
    in_proportion = abs(height * input_size[1] - width * input_size[0]) <= max(input_size)  # a cell is rounding
    return (channels, height, width) if in_proportion else None
