"""Calls of a network's modules in a pass: what each gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .joins import JoinsSeen
from .products import ProductsSeen


@dataclass(frozen=True)
class Call:
    """A module that was called, the network itself left out."""

    name: str
    module: nn.Module
    shape: tuple[int, ...] | None
    """Of its output, for a batch of two; None where that isn't a tensor."""
    is_product: bool
    """Whether that is a product of two activations, such as attention."""
    products: int
    """Products of two activations that the network had computed by then."""
    joined: tuple[int, ...] = ()
    """Of tokens N x T x K: the lengths of the pieces of a join of T tokens before, if there was one."""

    @property
    def has_weights(self) -> bool:
        """Whether it has weights of its own."""
        return next(self.module.parameters(recurse=False), None) is not None


def calls_of(network: nn.Module, image: tuple[int, int, int], device: torch.device) -> list[Call]:
    """Return what a network calls for two images of zeros, in the order in which it is done.

    What the network raises passes through.

    Args:
        network: N x c x H x W -> N x C.
        image: channels, height and width of the images.
        device: of the network.
    """
    calls: list[Call] = []
    zeros = torch.zeros(2, *image, device=device)
    products = ProductsSeen(zeros)
    joins = JoinsSeen()
    with _watched(network, lambda *call: calls.append(_call(products, joins, *call))), products, joins:
        network(zeros)
    return calls


def _call(products: ProductsSeen, joins: JoinsSeen, name: str, module: nn.Module, output: Any) -> Call:
    if not isinstance(output, Tensor):
        return Call(name, module, None, False, products.count)
    joined = joins.lengths(output.shape[1]) if output.ndim == 3 else ()
    return Call(name, module, tuple(output.shape), products.holds(output), products.count, joined)


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
