"""Default layers of a network, read where none is named. Imports no torch.

Both rules take the outermost module whose map K x H x W has a certain size, in the later half of those that have it,
the last of several.

- Grad-CAM: the size of the map that the last weights of the network give, before it is pooled or flattened: "the last
  convolutional layer" of its authors.
- Channels and excitation backprop: the size nearest to a sixteenth of the frame, as the paper's layers have it.

A network that computes tokens up to its end has one layer for all uses, the first norm of its last block, as users of
pytorch-grad-cam take it (`layers.find_layers`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

from ep_core.schemas.model_card import LayerUse, ListedLayer

STRIDE = 16  # pixels a cell, as the paper's inception4d and layer3 have
_NOTHING = ("Identity", "Dropout", "DropPath", "StochasticDepth")
"""Modules that do nothing in evaluation, by parts of the names of their types."""

PAPERS: tuple[tuple[LayerUse, str, dict[str, tuple[str, int]]], ...] = (
    ("excitation_backprop", "features.23", {"features.23": ("MaxPool2d", 512), "features.30": ("MaxPool2d", 512)}),
    ("channels", "inception4d", {"inception4d": ("Inception", 528)}),
)
"""The layers of the paper that the rules don't give, by what their networks look like: types and channels of layers.

VGG16's pool4 is where its authors' benchmark reads excitation backprop (TorchRay, `examples/attribution_benchmark.py`;
so do Zhang et al. 2016); Grad-CAM's `features.29` and ResNet-50's `layer4` and `layer3` there are what the rules give.
GoogLeNet's inception4d is the layer of section 5.
"""


def with_defaults(layers: Sequence[ListedLayer], input_size: tuple[int, int], last: ListedLayer) -> list[ListedLayer]:
    """Return layers with what each is the default for.

    Args:
        layers: those of a network, in the order of computation.
        input_size: height and width of its input, in pixels.
        last: the one of them that has the last map K x H x W of several cells with weights behind it.
    """
    maps = [card for card in layers if card.tokens is None and card.height * card.width > 1]
    sixteenth = min(maps, key=lambda card: (_octaves(card, input_size), card.height)).height
    defaults: dict[LayerUse, str] = {"channels": _outermost(maps, sixteenth), "grad_cam": _outermost(maps, last.height)}
    defaults["excitation_backprop"] = defaults["channels"]
    defaults |= {use: name for use, name, marks in PAPERS if _has(layers, marks)}
    return [
        card.model_copy(update={"default_for": tuple(use for use, name in defaults.items() if name == card.name)})
        for card in layers
    ]


def with_one_default(layers: Sequence[ListedLayer], default: ListedLayer) -> list[ListedLayer]:
    """Return layers of which one is the default for everything."""
    uses: tuple[LayerUse, ...] = get_args(LayerUse)
    return [card.model_copy(update={"default_for": uses if card == default else ()}) for card in layers]


def without_defaults(layers: Sequence[ListedLayer]) -> list[ListedLayer]:
    """Return layers of which none is a default."""
    return [card.model_copy(update={"default_for": ()}) for card in layers]


def _octaves(card: ListedLayer, input_size: tuple[int, int]) -> float:
    """Return how far a layer's cells are from `STRIDE`, in octaves; paddings round them a little."""
    return round(abs(math.log2(input_size[0] / card.height / STRIDE)), 6)


def _outermost(maps: Sequence[ListedLayer], height: int) -> str:
    """Return the name of the outermost layer of a size, late among those of that size; of the last one of several."""
    same = [card.name for card in maps if card.height == height and not any(part in card.type for part in _NOTHING)]
    same = same or [card.name for card in maps if card.height == height]
    late = same[len(same) // 2 :]
    outermost = min(name.count(".") for name in late)
    return [name for name in late if name.count(".") == outermost][-1]


def _has(layers: Sequence[ListedLayer], marks: dict[str, tuple[str, int]]) -> bool:
    found = {card.name: (card.type, card.channels) for card in layers}
    return all(found.get(name) == mark for name, mark in marks.items())
