"""Lookup of the layer that a method reads."""

from __future__ import annotations

from ep_core.errors import InvalidInput, UnknownName
from ep_core.models.classifier import Classifier
from ep_core.models.named_layer import resolve_layer
from ep_core.schemas.model_card import LayerUse
from ep_core.schemas.specs import CompareSpec

from .method import MethodUnavailable


def layer_read(use: LayerUse, title: str, model: Classifier, spec: CompareSpec) -> str:
    """Return the name of the layer that a method reads: the spec's, else the default.

    Args:
        use: what the default is for.
        title: what people call the method, for the message.
        model: whose layer.
        spec: which may name it.

    Raises:
        UnknownName: the model has no layer of the spec's name.
        MethodUnavailable: no layer can be seen, or the spec names none, and none is the default.
    """
    try:
        return resolve_layer(spec.layer, model.layers, model=model.name, use=use).name
    except UnknownName:
        raise
    except InvalidInput as error:
        raise MethodUnavailable(f"{title} reads a layer, and {error.detail}") from error
