"""Attention matrices, distinguished from feature maps: both may be N x K x h x w."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

_aten = torch.ops.aten
_PRODUCTS = (_aten.bmm.default, _aten.baddbmm.default, _aten.mm.default, _aten.addmm.default, _aten.matmul.default)

_FUSED = ("scaled_dot_product", "multi_head_attention", "transformer_encoder_layer")
"""Attention as one operation, by parts of the names."""


class ProductsSeen(TorchDispatchMode):
    """Notes, while it is entered, what a network computes as products of two of its activations.

    Attention is such a product, of queries and keys: its places are pairs of places of the image. What is done to it
    one value at a time (scaling, softmax, a bias, a change of heads) leaves it one; its product with the values is none
    any more.
    """

    def __init__(self, x: Tensor) -> None:
        """Take the network's input, which distinguishes activations from parameters."""
        super().__init__()
        self._products: Any = WeakTensorKeyDictionary()
        """By activation: whether it is a product of two."""
        self._products[x] = False
        self.count = 0
        """Products so far, each attention one of them."""

    def holds(self, activation: Tensor) -> bool:
        """Return whether an activation is a product of two others."""
        return bool(self._products.get(activation, False))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: torch would import its compiler, to keep it out of `__torch_dispatch__`."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, and note what its results are."""
        results = func(*args, **(kwargs or {}))
        inputs = [one for one in _tensors((args, kwargs)) if one in self._products]
        if inputs:
            for result in _tensors(results):
                self._products[result] = self._is_product(func, inputs, result)
            self.count += self._is_new(func, inputs)
        return results

    def _is_new(self, func: Any, inputs: list[Tensor]) -> bool:
        """Return whether an operation multiplies two activations that are no products, as attention does first."""
        if any(name in str(func) for name in _FUSED):
            return True
        return func in _PRODUCTS and len(inputs) > 1 and not any(self._products[one] for one in inputs)

    def _is_product(self, func: Any, inputs: list[Tensor], result: Tensor) -> bool:
        products = [one for one in inputs if self._products[one]]
        if func in _PRODUCTS and len(inputs) > 1:
            return not products
        return any(one.numel() == result.numel() for one in products)


def _tensors(value: Any) -> list[Tensor]:
    return [leaf for leaf in torch.utils._pytree.tree_leaves(value) if isinstance(leaf, Tensor)]
