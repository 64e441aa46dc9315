"""Which layer is meant, and whether it has as many channels as asked for. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from ep_core.errors import InvalidInput, UnknownName
from ep_core.models.card import LayerCard
from ep_core.spec import default_counts
from ep_core.targets import nearest_names

DEFAULT_STRIDE = 16  # as the paper's inception4d has


def resolve_layer(
    layer: str | None, layers: Sequence[LayerCard], *, model: str, input_size: tuple[int, int]
) -> LayerCard:
    """Return the layer that a name means; None means the last of the outermost ones at a sixteenth of the frame.

    Args:
        layer: a name in `layers`, or None.
        layers: those of the model that have channels, in the order of computation.
        model: its name, for the message.
        input_size: height and width of the network's frame, in pixels.

    Raises:
        UnknownName: there is none of that name; the error carries the nearest names.
        InvalidInput: the model has no layer with channels at all.
    """
    if not layers:
        raise InvalidInput(no_layers(model), field="layer")
    if layer is None:
        return _default_layer(layers, input_size)
    for card in layers:
        if card.name == layer:
            return card
    nearest = nearest_names(layer, [card.name for card in layers])
    hint = f"did you mean {', '.join(map(repr, nearest))}?" if nearest else f"its last one is {layers[-1].name!r}"
    raise UnknownName(
        f"model {model!r} has no layer with channels called {layer!r}; {hint}", field="layer", nearest=nearest
    )


def no_layers(model: str) -> str:
    """Return what to say of a model that has no layer with channels, as far as its card knows."""
    return (
        f"model {model!r} has no layer with channels (K x H x W) to be seen. TorchScript and exported programs show "
        "none: list such a network as a state dict or an entry_point"
    )


def _default_layer(layers: Sequence[LayerCard], input_size: tuple[int, int]) -> LayerCard:
    fine = [card for card in layers if card.height * DEFAULT_STRIDE >= input_size[0]] or list(layers)
    height = min(card.height for card in fine)
    fine = [card for card in fine if card.height == height]
    outermost = min(card.name.count(".") for card in fine)
    return [card for card in fine if card.name.count(".") == outermost][-1]


def check_counts(areas: Sequence[int] | None, layer: LayerCard) -> tuple[int, ...]:
    """Return the counts of a sweep at a layer: those asked for, or the paper's, scaled.

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
