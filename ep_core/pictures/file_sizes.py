"""Upper bounds of the sizes of a result's files, before they are made. Imports no torch.

A picture in colour counts with its raw pixels: no PNG has many more bytes, whatever it shows. A mask is smooth where it
is as large as the network's frame or larger, and then takes less than half of its pixels, a quarter where it is far
larger (measured: a seventh to a fifteenth).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.reports.channels import EXAMPLES
from ep_core.schemas.reports.extremal import MOST_SHOWN
from ep_core.schemas.specs import ChannelsSpec, ClassChannelsSpec, CompareSpec, Spec, default_counts, spatial_areas
from ep_core.schemas.specs.channels import PAPER_CHANNELS

from .contact_sheet import CAPTION, GAP, TILE

Size = tuple[int, int]

GREY, RGB = 1, 3  # bytes a pixel
FAR_LARGER = 16
UNKNOWN_FRAME = (1024, 1024)
UNKNOWN_CHANNELS = 4096
# Of JSON and SVG together, about twice what was measured.
TEXTS = 32_768
OF_AREA, OF_METHOD, OF_POINT = 1_536, 3_072, 512
OF_CHANNEL, OF_WEIGHT, OF_IMAGE, OF_EXCITED = 256, 24, 1_024, 64


def largest_files(spec: Spec, sizes: Sequence[Size], card: ModelCard | None) -> list[int]:
    """Return the most bytes that each file of a result can have, its report included.

    Args:
        spec: the request.
        sizes: width and height of each image, in pixels (or height and width).
        card: the model's, None where it isn't known.
    """
    frame = card.input_size if card else UNKNOWN_FRAME
    if isinstance(spec, ClassChannelsSpec):
        return list(_class(spec, len(sizes), frame, _channels(spec, card)))
    (image,) = sizes
    if isinstance(spec, ChannelsSpec):
        return list(_one_image(spec, image, frame, _channels(spec, card)))
    if isinstance(spec, CompareSpec):
        return list(_comparison(spec, image, frame))
    masks = len(spec.areas) + spec.alternatives + spec.contrast
    return [*_masks(masks, image, frame), _shown(image), TEXTS + OF_AREA * len(spec.areas)]


def _masks(count: int, image: Size, frame: Size) -> list[int]:
    return count * [_mask(frame, frame), _mask(image, frame), _shown(image)]


def _comparison(spec: CompareSpec, image: Size, frame: Size) -> Iterator[int]:
    yield from _masks(len(spatial_areas(spec)), image, frame)
    methods, areas = len(spec.methods), len(spec.areas)
    yield from methods * [_png(image, GREY), _shown(image)]
    yield _sheet(methods + 4)  # the image, too, and a row that isn't full
    yield TEXTS + OF_AREA * areas + methods * (OF_METHOD + OF_POINT * areas)


def _one_image(spec: ChannelsSpec, image: Size, frame: Size, channels: int) -> Iterator[int]:
    counts = _counts(spec)
    yield _shown(image)
    yield TEXTS + OF_AREA * counts + OF_CHANNEL * channels
    yield OF_WEIGHT * channels * counts
    if spec.invert:
        yield from (_png(frame, RGB), _png(frame, RGB), _sheet(3))


def _class(spec: ClassChannelsSpec, images: int, frame: Size, channels: int) -> Iterator[int]:
    yield _sheet(spec.top * (min(images, EXAMPLES) + spec.invert))
    yield from spec.top * spec.invert * [_png(frame, RGB)]
    yield TEXTS + OF_IMAGE * images + OF_WEIGHT * channels + spec.top * (OF_CHANNEL + OF_EXCITED * images)


def _counts(spec: ChannelsSpec) -> int:
    return len(spec.areas or default_counts(PAPER_CHANNELS))


def _channels(spec: ChannelsSpec | ClassChannelsSpec, card: ModelCard | None) -> int:
    """Return the channels of the layer; where it isn't named, the most that a layer has."""
    layers = (card.layers if card else None) or ()
    return max((one.channels for one in layers if spec.layer in (None, one.name)), default=UNKNOWN_CHANNELS)


def _mask(size: Size, frame: Size) -> int:
    part = 4 if math.prod(size) > FAR_LARGER * math.prod(frame) else 2
    return min(_png(size, GREY), max(_png(size, GREY), _png(frame, GREY)) // part)


def _shown(size: Size) -> int:
    share = min(1.0, MOST_SHOWN / max(size))
    width, height = (math.ceil(side * share) for side in size)
    return _png((width, height), RGB)


def _sheet(tiles: int) -> int:
    return _png((tiles * (TILE + GAP), TILE + GAP + CAPTION), RGB)


def _png(size: Size, depth: int) -> int:
    """Return the most bytes of a PNG: its uncompressed pixels, a byte for each row, and the container."""
    raw = depth * math.prod(size) + max(size)
    return raw + raw // 500 + 512
