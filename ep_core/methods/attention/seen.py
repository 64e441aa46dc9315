"""Weights of attention, seen while a network computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ep_core.methods.base.method import MethodUnavailable

_SOFTMAXES = (F.softmax, torch.softmax, Tensor.softmax)


class AttentionSeen(TorchFunctionMode):
    """Keeps the weights of each attention that this thread computes while it is entered, in their order.

    Fused attention never has its weights in memory. It is computed in steps here, so that scores depend on what is
    kept, and differ by roundings alone.

    Attributes:
        weights: N x heads x Q x T each: what each of Q tokens takes from each of T, sums of 1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[Tensor] = []

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a function of torch, and keep its result where it is a softmax of an attention."""
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            return self._attend(*args, **kwargs)
        if func is F.multi_head_attention_forward:
            return self._by_heads(*args, **kwargs)
        result = func(*args, **kwargs)
        if func in _SOFTMAXES and result.ndim == 4:
            self.weights.append(result)
        return result

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """Return `F.scaled_dot_product_attention`, without dropout."""
        if is_causal or enable_gqa:
            raise MethodUnavailable("it reads attention, and this network's is causal or in groups of heads")
        logits = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
        if attn_mask is not None:
            is_bool = attn_mask.dtype == torch.bool
            logits = logits.masked_fill(attn_mask.logical_not(), -math.inf) if is_bool else logits + attn_mask
        self.weights.append(logits.softmax(dim=-1))
        return self.weights[-1] @ value

    def _by_heads(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        _width: int,
        heads: int,
        in_weight: Tensor | None,
        in_bias: Tensor | None,
        *others: Any,
        **options: Any,
    ) -> tuple[Tensor, None]:
        """Return `F.multi_head_attention_forward` of plain attention: Q x N x K, and no weights."""
        bias_k, bias_v, add_zero, _dropout, out_weight, out_bias = others
        unusual = (bias_k, bias_v, options.get("key_padding_mask"), options.get("attn_mask"))
        if in_weight is None or add_zero or query.ndim != 3 or any(one is not None for one in unusual):
            raise MethodUnavailable("it reads attention, and this network's has masks or weights of its own kind")
        biases = (None, None, None) if in_bias is None else in_bias.chunk(3)
        q, k, v = (
            F.linear(one, weight, bias).unflatten(2, (heads, -1)).permute(1, 2, 0, 3)
            for one, weight, bias in zip((query, key, value), in_weight.chunk(3), biases, strict=True)
        )
        joined = self._attend(q, k, v).permute(2, 0, 1, 3).flatten(2)
        return F.linear(joined, out_weight, out_bias), None
