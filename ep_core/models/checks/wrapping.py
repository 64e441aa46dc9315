"""Checks of a Classifier's arguments, before the network runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

from ep_core.errors import InvalidInput
from ep_core.models.preprocessing import Preprocessing
from ep_core.schemas.model_card import Head

_LOGIT_HINT = (
    '. A score that speaks for the second against the first is said to be one by outputs = "logit"; else give one label'
)


def check_module(network: nn.Module) -> None:
    """Raise `InvalidInput` where a network can't be explained for where or how its parameters are held."""
    if not isinstance(network, nn.Module):
        raise _wrong(f"the network is to be a torch.nn.Module, not {type(network).__name__}: wrap it in one")
    parameters = list(network.parameters())
    devices = sorted({str(parameter.device) for parameter in parameters})
    if "meta" in devices:
        raise _wrong("the network has no weights yet (device meta): load them first")
    if len(devices) > 1:
        raise _wrong(f"the network's weights are on several devices ({', '.join(devices)}): move them to one, by .to()")
    if any(parameter.is_inference() for parameter in parameters):
        raise _wrong("the network's weights were made under torch.inference_mode(): make them outside of it")


def check_described(name: str, preprocessing: Preprocessing | None, weights_digest: str | None) -> None:
    """Raise `InvalidInput` where a description of a network isn't of the type that results need."""
    if not isinstance(name, str):
        raise _wrong(f"a model's name is a string, not {type(name).__name__}")
    if preprocessing is not None and not isinstance(preprocessing, Preprocessing):
        raise _wrong(f"preprocessing is an ep_core.Preprocessing, not {type(preprocessing).__name__}")
    if weights_digest is not None and not isinstance(weights_digest, str):
        raise _wrong(f"weights_digest is a string, not {type(weights_digest).__name__}")


def given_labels(labels: Iterable[Any]) -> tuple[str, ...]:
    """Return labels as strings; numbers are written out.

    Raises:
        InvalidInput: it's no list of labels.
    """
    if isinstance(labels, str | bytes | Mapping) or not isinstance(labels, Iterable):
        hint = ": give list(labels.values())" if isinstance(labels, Mapping) else ""
        raise _wrong(f"labels are a list, one for each class in their order, not {type(labels).__name__}{hint}")
    return tuple(str(label.item() if hasattr(label, "item") else label) for label in labels)


def check_label_count(labels: Sequence[str], classes: int, outputs: Head | None, *, model: str) -> None:
    """Raise `InvalidInput` where a model hasn't as many labels as classes."""
    if len(labels) == classes:
        return
    hint = _LOGIT_HINT if (classes, len(labels)) == (1, 2) else ""
    hint = ", as its outputs are embeddings: leave them out" if outputs == "embedding" else hint
    raise _wrong(f"model {model!r} has {classes} classes, but {len(labels)} labels{hint}")


def _wrong(detail: str) -> InvalidInput:
    return InvalidInput(detail, field="model")
