"""Lookup of a layer by name, and the check of its number of channels. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from ep_core.errors import InvalidInput, UnknownName
from ep_core.schemas.model_card import LayerUse, ListedLayer
from ep_core.schemas.specs import default_counts
from ep_core.schemas.targets import nearest_names

SHOWN = 3  # layers that a message names


def resolve_layer(
    layer: str | None, layers: Sequence[ListedLayer], *, model: str, use: LayerUse = "channels"
) -> ListedLayer:
    """Return the layer that a name means; None means the default of a use.

    Args:
        layer: a name in `layers`, or None.
        layers: those of the model that have channels, in the order of computation (`find_layers`).
        model: its name, for the message.
        use: what reads the layer.

    Raises:
        UnknownName: there is none of that name; the error carries the nearest names.
        InvalidInput: the model has no layer with channels at all, or no name is given, and none is the default.
    """
    if not layers:
        raise InvalidInput(no_layers(model), field="layer")
    if layer is None:
        return _default_layer(layers, model, use)
    for card in layers:
        if card.name == layer:
            return card
    nearest = nearest_names(layer, [card.name for card in layers])
    hint = f"did you mean {', '.join(map(repr, nearest))}?" if nearest else f"its last one is {layers[-1].name!r}"
    raise UnknownName(
        f"model {model!r} has no layer with channels called {layer!r}; {hint}", field="layer", nearest=nearest
    )


def no_layers(model: str) -> str:
    """Return the message for a model that has no layer with channels, as far as its card knows."""
    return (
        f"model {model!r} has no layer with channels (K x H x W) to be seen. TorchScript and exported programs show "
        "none: list such a network as a state dict or an entry_point"
    )


def has_known_defaults(layers: Sequence[ListedLayer]) -> bool:
    """Return whether layers have their `default_for`; records of earlier versions don't."""
    return all(card.default_for is not None for card in layers)


def _default_layer(layers: Sequence[ListedLayer], model: str, use: LayerUse) -> ListedLayer:
    for card in layers:
        if use in (card.default_for or ()):
            return card
    names = ", ".join(repr(card.name) for card in layers[-SHOWN:])
    raise InvalidInput(
        f"model {model!r} has no layer with channels (K x H x W) near its output, which could be the default: it "
        f"computes tokens there. Name a layer all the same (`layer`: {names})",
        field="layer",
    )


def check_counts(areas: Sequence[int] | None, layer: ListedLayer) -> tuple[int, ...]:
    """Return the counts of a sweep at a layer: the requested ones, or the paper's, scaled.

    Raises:
        InvalidInput: a count is larger than the layer.
    """
    if areas is None:
        return default_counts(layer.channels)
    too_many = [count for count in areas if count > layer.channels]
    if too_many:
        raise InvalidInput(
            f"{too_many[0]} channels are more than layer {layer.name!r} has: use 1 to {layer.channels}", field="areas"
        )
    return tuple(areas)
