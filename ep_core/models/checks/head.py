"""Check of a network's head: class scores, or features without a classifier."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models.runtime.memory import is_of_device

from .brief import brief

log = logging.getLogger(__name__)

_LINEAR = {"Addmm", "Mm", "Bmm", "Baddbmm", "Linear", "Convolution", "CudnnConvolution", "MkldnnConvolution"}
_RECTIFIERS = {"Relu", "Hardtanh", "Gelu", "Silu", "Hardswish", "LeakyRelu", "Mish"}
_NORMS = {"NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm", "NativeLayerNorm", "NativeGroupNorm"}
_POOLINGS = {"Mean", "AdaptiveAvgPool2D", "MkldnnAdaptiveAvgPool2D", "AvgPool2D", "Amax", "MaxPool2DWithIndices"}
_ENDS_OF_FEATURES = {"Add", "Mul", "MaxPool2DWithIndices", *_NORMS}
"""Beneath a pooling: no layer of classes comes between."""


class _End(Enum):
    SCORES = auto()
    FEATURES = auto()


def require_head(network: nn.Module, images: Tensor, *, model: str) -> None:
    """Refuse a network that surely has no head: no linear layer comes after its last pooling, rectifier or norm.

    Convolutions whose maps of classes are pooled are a head, too, and whatever can't be followed may be one.

    Args:
        network: N x 3 x H x W -> N x C, its parameters without gradients.
        images: N x 3 x H x W.
        model: its name.

    Raises:
        InvalidInput: the network ends in features.
    """
    try:
        with torch.enable_grad():
            scores = network(images.detach().requires_grad_().clone())  # a copy: networks may work in place
        ends = set(_ends(scores.grad_fn))
    except Exception as error:
        if is_of_device(error):
            raise
        # whether it can be explained without gradients isn't the question here
        log.info("whether %s has a head can't be told: %s", model, brief(error))
        return
    if _End.FEATURES in ends and _End.SCORES not in ends:
        raise InvalidInput(
            f"the {scores.shape[1]} outputs of model {model!r} look like features, not scores of classes: no linear "
            "layer comes after its last pooling or activation. Put the head on the network; or give `labels`, one per "
            "output, to say that they are classes",
            field="model",
        )


def _ends(output: Any) -> Iterator[_End]:
    """Yield the operations that decide about a head, on the ways from the output back to the first layers that tell."""
    ways = [(output, False, False)]  # the node, and whether a pooling and a rectifier come after it
    seen = set()
    while ways:
        way = ways.pop()
        node, pooled, rectified = way
        if node is None or way in seen:
            continue
        seen.add(way)
        kind = _kind(node)
        if (found := _telling(node, kind, pooled, rectified)) is not None:
            yield found
            continue
        pooled = pooled or kind in _POOLINGS
        rectified = rectified or (_is_rectifier(node, kind) and not pooled)
        ways += [(before, pooled, rectified) for before, _ in node.next_functions]


def _telling(node: Any, kind: str, pooled: bool, rectified: bool) -> _End | None:
    """Return the verdict of a node; None for one through which scores and features pass alike."""
    if kind in _LINEAR:
        return _End.FEATURES if rectified else _End.SCORES
    if pooled and kind in _ENDS_OF_FEATURES:
        return _End.FEATURES
    if kind in _NORMS and node._saved_input.ndim > 2 and node._saved_input[0, 0].numel() > 1:
        return _End.FEATURES  # of maps or tokens, not of a vector
    return None


def _kind(node: Any) -> str:
    return re.sub(r"Backward\d*$", "", node.name())


def _is_rectifier(node: Any, kind: str) -> bool:
    return kind in _RECTIFIERS and not (kind == "Hardtanh" and node._saved_min_val < 0)
