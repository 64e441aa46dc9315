"""Attention to tokens by their weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_SOFTMAXES = (F.softmax, torch.softmax, Tensor.softmax)


class WeightedAttention(TorchFunctionMode):
    """Weighs what each attention that this thread computes takes from the tokens, while it is entered.

    With weights w, the share of a token is ``w_i exp(l_i) / sum_j w_j exp(l_j)``, l being the attention's logits: a
    weight of 1 changes nothing, with 0 the token isn't there, and the share's slope is finite in between. The weights
    enter as their logarithms, added to the logits.
    """

    def __init__(self, weights: Tensor, class_tokens: int) -> None:
        """Set the weights.

        Args:
            weights: N x k above 0, of the tokens of patches.
            class_tokens: tokens before those, of weight 1.
        """
        super().__init__()
        self._patches = weights.shape[1]
        self._bias = F.pad(weights.log(), (class_tokens, 0))[:, None, None]

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a function of torch, an attention with the weights' bias."""
        kwargs = dict(kwargs or {})
        if func is F.scaled_dot_product_attention:
            return self._attend(*args, **kwargs)
        if func is F.multi_head_attention_forward:
            kwargs["attn_mask"] = _added(kwargs.get("attn_mask"), self._by_heads(*args[:2], heads=args[4]))
        elif func in _SOFTMAXES and args[0].ndim == 4:
            args = (args[0] + self._of_keys(args[0].shape[3], args[0]), *args[1:])
        return func(*args, **kwargs)

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, *rest: Any, **options: Any
    ) -> Tensor:
        """Return `F.scaled_dot_product_attention` by the weights."""
        mask = _added(attn_mask, self._of_keys(key.shape[-2], query))
        return F.scaled_dot_product_attention(query, key, value, mask, *rest, **options)

    def _by_heads(self, query: Tensor, key: Tensor, *, heads: int) -> Tensor:
        """Return the bias for `F.multi_head_attention_forward`, whose batch comes second: (N heads) x Q x T."""
        return self._of_keys(key.shape[0], query).expand(-1, heads, query.shape[0], -1).flatten(0, 1)

    def _of_keys(self, count: int, like: Tensor) -> Tensor:
        """Return the bias of so many keys: N x 1 x 1 x T. A head may leave the class tokens out."""
        if count not in (self._patches, self._bias.shape[3]):
            raise ValueError(f"an attention to {count} tokens, where there are {self._bias.shape[3]}")
        return self._bias[..., -count:].to(like.dtype)


def _added(mask: Tensor | None, bias: Tensor) -> Tensor:
    """Return a bias on top of the mask that an attention has already."""
    if mask is None:
        return bias
    return bias.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else mask + bias
