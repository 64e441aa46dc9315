"""Operations of networks, by how relevance is propagated through them; modules, functions and methods."""

from __future__ import annotations

import operator
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from .propagation import LinearMap

WEIGHTED = (nn.Conv2d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
AVERAGES = (  # linear without weights of their own
    *(nn.AvgPool2d, nn.AdaptiveAvgPool2d, F.avg_pool2d, F.adaptive_avg_pool2d, torch.mean, "mean"),
    *(nn.Upsample, nn.UpsamplingNearest2d, nn.UpsamplingBilinear2d, F.interpolate, torch.sum, "sum"),
)
SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")
PRODUCTS = (operator.mul, operator.imul, torch.mul, "mul", "mul_")
ELEMENTWISE = (  # of one activation: all the relevance goes to it
    *(nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.LeakyReLU, nn.PReLU, nn.Dropout, nn.Dropout2d, nn.Identity),
    *(F.relu, F.relu_, F.relu6, F.hardtanh, F.leaky_relu, F.prelu, F.dropout, F.dropout2d),
    *(torch.relu, torch.relu_, "relu", "relu_"),
    *(*SUMS, *PRODUCTS, operator.sub, operator.isub, torch.sub, "sub", "sub_"),  # with constants
)
QUOTIENTS = (operator.truediv, operator.itruediv, torch.div, "div", "div_")
"""Elementwise where a constant divides."""
PADDINGS = (
    *(nn.ZeroPad2d, nn.ConstantPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d),
    *(F.pad, torch._C._nn.pad),
)
ORDINARY = (  # the gradient propagates relevance to the winner, or to where a value was taken from
    *(nn.MaxPool2d, nn.AdaptiveMaxPool2d, F.max_pool2d, F.adaptive_max_pool2d),
    *(nn.Flatten, nn.Unflatten, nn.ChannelShuffle, nn.PixelShuffle, nn.PixelUnshuffle),
    *(torch.flatten, torch.reshape, torch.transpose, torch.permute, torch.cat, torch.concat, torch.stack, torch.chunk),
    *(torch.split, torch.squeeze, torch.unsqueeze, torch.clone, F.channel_shuffle, F.pixel_shuffle),
    *(operator.getitem, getattr),
    *("flatten", "reshape", "view", "transpose", "permute", "contiguous", "clone", "chunk", "split", "narrow"),
    *("squeeze", "unsqueeze", "size", "dim"),
    *PADDINGS,
)


def weighted(module: nn.Module) -> LinearMap:
    """Return a convolution or fully connected layer; its bias is broadcast over space."""
    bias = getattr(module, "bias", None)
    without = {} if bias is None else {"bias": torch.zeros_like(bias)}
    shaped = bias[:, None, None] if bias is not None and isinstance(module, nn.Conv2d) else bias
    return LinearMap(
        lambda x, weight: functional_call(module, {"weight": weight, **without}, (x,)),
        cast("Tensor", module.weight),
        shaped,
    )


def batch_norm(module: nn.BatchNorm1d | nn.BatchNorm2d, dimensions: int) -> LinearMap | None:
    """Return a batch norm in evaluation as an operation that scales and shifts each channel. None without statistics.

    Args:
        module: the batch norm.
        dimensions: of its input, 2 or more.
    """
    if module.running_mean is None or module.running_var is None:
        return None
    scale = (module.running_var + module.eps).rsqrt()
    if module.weight is not None:
        scale = scale * module.weight
    shift = -module.running_mean * scale
    if module.bias is not None:
        shift = shift + module.bias
    shape = (-1, *[1] * (dimensions - 2))
    return LinearMap(torch.mul, scale.reshape(shape), shift.reshape(shape))


def in_words(name: str, kind: Any, inputs: int, *, is_module: bool) -> str:
    """Return the name of an operation in a message.

    Args:
        name: the module's; what is called, of functions and methods.
        kind: the module's type, the function or the method's name.
        inputs: how many activations go into it.
        is_module: whether it is a module.
    """
    if inputs == 2 and kind in PRODUCTS:
        return "a product of two activations (squeeze-and-excitation and attention have them)"
    called = getattr(kind, "__name__", kind)
    return f"{called} (at {name})" if is_module else str(called)
