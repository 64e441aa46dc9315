"""Maps of channels among the outputs of a network's modules, by their shapes. Imports no torch.

A map lies as N x K x H x W, as N x H x W x K, or as tokens N x T x K: the places row by row, behind a few class tokens
and before the queries of a detector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ep_core.schemas.model_card import TokenLayout

if TYPE_CHECKING:
    from .calls import Call

MOST_CLASS_TOKENS = 8
"""DINOv2 has five, with its registers."""
HALVINGS = 3
"""Most times that a transformer merges its patches."""

REORDERING = ("Unroll",)
"""Modules behind which tokens aren't in rows any more, by parts of the names of their types: Hiera's."""


class MapShape(NamedTuple):
    """K, H and W of a module's output, and how they lie: None for N x K x H x W."""

    channels: int
    height: int
    width: int
    tokens: TokenLayout | None = None


def map_shapes(
    calls: Sequence[Call], input_size: tuple[int, int], calls_of_wide: Callable[[tuple[int, int]], Sequence[Call]]
) -> dict[int, MapShape]:
    """Return the outputs that are maps, H and W in proportion to the input's, by their places among the calls.

    Of tokens, H and W are those of the last map before them, such as the patch embedding's; or halves of it, as after
    merging patches. Products of activations are none.

    Args:
        calls: of a network, for two images.
        input_size: height and width of its input, in pixels.
        calls_of_wide: returns the calls for an input of another size. It is called for twice the width, where a map's
            channels are as many as its rows and columns: what the network doesn't take leaves those out.
    """
    found = _grids(calls, input_size, calls_of_wide)
    sizes: list[tuple[int, int]] = []
    for k, call in enumerate(calls):
        if any(part in type(call.module).__name__ for part in REORDERING):
            break
        if k in found:
            size = found[k].height, found[k].width
            if found[k].tokens is None and size[0] * size[1] > 1:
                sizes = [size, *(one for one in sizes if one != size)]
        elif call.shape is not None and len(call.shape) == 3 and call.shape[0] == 2 and not call.is_product:
            shape = _of_tokens(call.shape[1], call.shape[2], sizes, call.joined)
            found |= {} if shape is None else {k: shape}
    return dict(sorted(found.items()))


def _grids(
    calls: Sequence[Call], input_size: tuple[int, int], calls_of_wide: Callable[[tuple[int, int]], Sequence[Call]]
) -> dict[int, MapShape]:
    """Return the maps of four dimensions."""
    possible = {k: shapes for k, call in enumerate(calls) if (shapes := _readings(call, input_size))}
    if all(len(shapes) == 1 for shapes in possible.values()):
        return {k: shape for k, (shape,) in possible.items()}
    wide = input_size[0], 2 * input_size[1]
    again: dict[str, list[MapShape]] = {}
    with suppress(Exception):  # networks fail in many ways
        again = {call.name: _readings(call, wide) for call in calls_of_wide(wide)}
    found = {}
    for k, shapes in possible.items():
        orders = {shape.tokens for shape in again.get(calls[k].name, [])}
        sure = shapes if len(shapes) == 1 else [shape for shape in shapes if shape.tokens in orders]
        if len(sure) == 1:
            found[k] = sure[0]
    return found


def _readings(call: Call, input_size: tuple[int, int]) -> list[MapShape]:
    """Return the maps that an output of four dimensions may be: none, one, or two where K is about H and W."""
    if call.shape is None or len(call.shape) != 4 or call.shape[0] != 2 or call.is_product:
        return []
    _, first, second, third = call.shape
    readings = []
    if in_proportion(second, third, input_size):
        readings.append(MapShape(first, second, third))
    if first * second > 1 and in_proportion(first, second, input_size):
        readings.append(MapShape(third, first, second, TokenLayout(order="channels_last")))
    return readings


def in_proportion(height: int, width: int, input_size: tuple[int, int]) -> bool:
    """Return whether a map has the proportions of the input, but for a cell."""
    return abs(height * input_size[1] - width * input_size[0]) <= max(input_size)


def _of_tokens(count: int, channels: int, sizes: Sequence[tuple[int, int]], joined: tuple[int, ...]) -> MapShape | None:
    """Return the map that T tokens are.

    Args:
        count: T.
        channels: K.
        sizes: H and W of the maps before them, the latest first.
        joined: lengths of the pieces that T tokens were joined of, if they were; one of them are the places.
    """
    for height, width in sizes:
        if joined.count(height * width) == 1:
            place = joined.index(height * width)
            before, after = sum(joined[:place]), sum(joined[place + 1 :])
            return MapShape(channels, height, width, TokenLayout(order="tokens", class_tokens=before, queries=after))
        more = count - height * width
        if 0 <= more <= MOST_CLASS_TOKENS and (more == 0 or channels != height * width):  # else N x K x T
            return MapShape(channels, height, width, TokenLayout(order="tokens", class_tokens=more))
    for size in sizes:
        for halved in _halves(size):
            if halved[0] * halved[1] == count > 1:
                return MapShape(channels, *halved, TokenLayout(order="tokens"))
    return None


def _halves(size: tuple[int, int]) -> list[tuple[int, int]]:
    return [(-(-size[0] // 2**k), -(-size[1] // 2**k)) for k in range(1, HALVINGS + 1)]
