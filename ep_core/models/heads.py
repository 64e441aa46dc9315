"""Heads: the scores among a network's outputs, and the probabilities that scores stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.schemas.model_card import Head, default_head

OutputKey = str | int
"""Name or place of the scores among several outputs."""

USUAL_KEY = "logits"
"""Name that class scores have among the outputs of Hugging Face's networks."""


def probabilities(scores: Tensor, head: Head) -> Tensor | None:
    """Return the probabilities that scores stand for, in [0, 1]; None for scores that stand for none.

    Args:
        scores: N x C.
        head: ``"softmax"``: one of the classes is there. ``"sigmoid"`` and ``"logit"``: each class is there or isn't,
            whatever the others are. ``"score"``: any number. ``"embedding"``: a vector of C numbers.
    """
    if head in ("score", "embedding"):
        return None
    return scores.softmax(dim=1) if head == "softmax" else scores.sigmoid()


def find_scores(outputs: Any, count: int, wanted: OutputKey | None) -> OutputKey | None:
    """Return the key of the scores among a network's outputs; None where the outputs are the scores.

    Args:
        outputs: a tensor, or a mapping, a sequence or an object of them.
        count: N, the number of images.
        wanted: the key that the author names; None takes the only tensor of N x C, or the one called ``logits``.

    Raises:
        InvalidInput: there is no such output, or several could be the scores.
    """
    if isinstance(outputs, Tensor) and wanted is None:
        return None
    named = _named(outputs)
    if wanted is not None:
        if wanted not in named:
            raise _wrong(f"the network has no output {wanted!r}; {_listed(named)}")
        return wanted
    fitting = [key for key, value in named.items() if _may_be_scores(value, count)]
    if USUAL_KEY in fitting:
        return USUAL_KEY
    if len(fitting) != 1:
        found = "several outputs" if fitting else "no output"
        raise _wrong(f"{found} of the network may be scores, {count} x C for {count} images; {_listed(named)}")
    return fitting[0]


def pick(outputs: Any, key: OutputKey) -> Tensor:
    """Return the output of a key that `find_scores` has returned."""
    if isinstance(key, str) and not isinstance(outputs, Mapping):
        picked: Tensor = getattr(outputs, key)
    else:
        picked = outputs[key]
    return picked


class BinaryNetwork(nn.Module):
    """A network of one logit, as one of two classes: N x 3 x H x W -> N x 2, minus the logit and the logit.

    Their sigmoids are the probabilities of the class that isn't there and of the one that is.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of both classes."""
        logit = self.network(images)
        return torch.cat([-logit, logit], dim=1)


def checked_head(head: Head | None, classes: int) -> Head:
    """Return the head of a network of C scores: the given one, by default that of a single logit, or a softmax.

    Raises:
        InvalidInput: the head doesn't go with so many scores.
    """
    if head is None:
        return default_head(classes)
    if head == "logit" and classes != 1:
        raise _wrong(f'outputs = "logit" is for a network of one score; this one has {classes}: use "sigmoid"')
    if head == "softmax" and classes == 1:
        raise _wrong('the softmax of a single score is always 1: use outputs = "logit"')
    return head


def _named(outputs: Any) -> dict[OutputKey, Any]:
    if isinstance(outputs, Mapping):
        return dict(outputs)
    if isinstance(outputs, Sequence) and not isinstance(outputs, str):
        fields = getattr(outputs, "_fields", None)  # a named tuple's
        return dict(zip(fields or range(len(outputs)), outputs, strict=True))
    attributes = getattr(outputs, "__dict__", {})
    return {name: value for name, value in attributes.items() if isinstance(value, Tensor)}


def _may_be_scores(value: Any, count: int) -> bool:
    return isinstance(value, Tensor) and value.ndim == 2 and len(value) == count and value.is_floating_point()


def _listed(named: Mapping[OutputKey, Any]) -> str:
    if not named:
        return "it gives no tensors at all"
    shapes = (f"{key!r} ({_shape(value)})" for key, value in named.items())
    return f"it gives {', '.join(shapes)}: name the one of the scores as `output`"


def _shape(value: Any) -> str:
    return " x ".join(map(str, value.shape)) if isinstance(value, Tensor) else type(value).__name__


def _wrong(detail: str) -> InvalidInput:
    return InvalidInput(detail, field="model")
