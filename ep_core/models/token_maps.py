"""Outputs of layers whose channels come last as maps N x K x H x W, and back: the one place that knows how they lie."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.schemas.model_card import TokenLayout

from .map_shapes import in_proportion


@dataclass(frozen=True)
class TokenMap:
    """A layer's output as a map, for images of one size.

    Attributes:
        layout: how the output lies; None for N x K x H x W.
        height, width: of the map.
    """

    layout: TokenLayout | None
    height: int
    width: int

    def to_map(self, output: Tensor) -> Tensor:
        """Return a layer's output as N x K x H x W, class tokens and queries left out."""
        if self.layout is None:
            return output
        if self.layout.order == "channels_last":
            return output.permute(0, 3, 1, 2)
        places = output[:, self._places(output.shape[1])].transpose(1, 2)
        return places.unflatten(2, (self.height, self.width))

    def to_output(self, maps: Tensor, others: Tensor) -> Tensor:
        """Return maps as the layer gives them: the inverse of `to_map`.

        Args:
            maps: N x K x H x W.
            others: 1 x P x K or N x P x K, what `to_map` leaves out (`others_of`).
        """
        if self.layout is None:
            return maps
        if self.layout.order == "channels_last":
            return maps.permute(0, 2, 3, 1)
        places = maps.flatten(2).transpose(1, 2)
        if not others.shape[1]:
            return places
        others = others.expand(places.shape[0], -1, -1)
        first = self.layout.class_tokens
        return torch.cat([others[:, :first], places, others[:, first:]], dim=1)

    def others_of(self, output: Tensor) -> Tensor:
        """Return the tokens that have no place, N x P x K; P is 0 where there are none."""
        if self.layout is None or self.layout.order == "channels_last":
            return output.new_empty(len(output), 0, 0)
        places = self._places(output.shape[1])
        return torch.cat([output[:, : places.start], output[:, places.stop :]], dim=1)

    def _places(self, count: int) -> slice:
        """Return where the places lie among so many tokens."""
        assert self.layout is not None  # noqa: S101
        return slice(self.layout.class_tokens, count - self.layout.queries)


def token_map(layout: TokenLayout | None, output: Tensor, image_size: tuple[int, int]) -> TokenMap:
    """Return the map that a layer's output is, for images of a size.

    Args:
        layout: how it lies.
        output: N x K x H x W, N x H x W x K or N x T x K.
        image_size: height and width of the network's input, which has the proportions of the map.

    Raises:
        InvalidInput: so many tokens fill no map of these proportions.
    """
    if layout is None:
        return TokenMap(None, *output.shape[2:4])
    if layout.order == "channels_last":
        return TokenMap(layout, *output.shape[1:3])
    count = output.shape[1] - layout.class_tokens - layout.queries
    height = round((count * image_size[0] / image_size[1]) ** 0.5)
    around = [(rows, count // rows) for rows in (height, height + 1, height - 1) if rows > 0 and count % rows == 0]
    sizes = [size for size in around if in_proportion(*size, image_size)]
    if not sizes:
        raise InvalidInput(
            f"{count} tokens fill no map with the proportions of {image_size[0]} x {image_size[1]}: "
            "use the model's own input size",
            field="layer",
        )
    return TokenMap(layout, *sizes[0])


class ToMap(nn.Module):
    """A layer's output as a map: N x ... -> N x K x H x W."""

    def __init__(self, form: TokenMap) -> None:
        super().__init__()
        self._form = form

    def forward(self, output: Tensor) -> Tensor:
        """Return the map."""
        return self._form.to_map(output)


class ToOutput(nn.Module):
    """A map as the layer gives it, with the other tokens of one image: N x K x H x W -> N x ..."""

    def __init__(self, form: TokenMap, others: Tensor) -> None:
        super().__init__()
        self._form = form
        self.others = nn.Parameter(others, requires_grad=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the layer's output."""
        return self._form.to_output(maps, self.others)
