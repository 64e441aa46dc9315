"""Upper bounds of the sizes of a result's files, before they are made. Imports no torch.

A picture in colour counts with its raw pixels: no PNG has many more bytes, whatever it shows. A mask is smooth where it
is as large as the network's frame or larger, and then takes less than half of its pixels, a quarter where it is far
larger (measured: a seventh to a fifteenth).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.reports.file_names import MOST_SHOWN
from ep_core.schemas.tasks import Bulk, FileKind, Spec, task_of

from .contact_sheet import CAPTION, GAP, TILE
from .result_page import SIDE, TILE_SIDE
from .reveal import MOST_BYTES

Size = tuple[int, int]

GREY, RGB = 1, 3  # bytes a pixel
JPEG, JPEG_HEAD = 2, 1024  # bytes a pixel, and before them: noise has 1.5 at the quality of thumbnails
FAR_LARGER = 16
UNKNOWN_FRAME = (1024, 1024)
UNKNOWN_CHANNELS = 4096


def largest_files(spec: Spec, sizes: Sequence[Size], card: ModelCard | None) -> list[int]:
    """Return the most bytes that each file of a result can have, its report included.

    Args:
        spec: the request.
        sizes: width and height of each image, in pixels (or height and width).
        card: the model's, None where it isn't known.
    """
    image = max(sizes, key=math.prod)
    frame = card.input_size if card else UNKNOWN_FRAME
    files = task_of(spec).bulk_of(spec, images=len(sizes), channels=_channels(spec, card))
    return [_bytes(one, image, frame) for one in files for _ in range(one.count)]


def _bytes(one: Bulk, image: Size, frame: Size) -> int:
    of_kind: dict[FileKind, Callable[[], int]] = {
        FileKind.MASK_IN_FRAME: lambda: _mask(frame, frame),
        FileKind.MASK_ON_IMAGE: lambda: _mask(image, frame),
        FileKind.GREY: lambda: _png(image, GREY),
        FileKind.COLOUR: lambda: _shown(image),
        FileKind.COLOUR_IN_FRAME: lambda: _png(frame, RGB),
        FileKind.TILES: lambda: _sheet(one.size),
        FileKind.TEXT: lambda: one.size,
        FileKind.EMBEDDED: lambda: _embedded(image, frame, one.size),
        FileKind.EMBEDDED_TILES: lambda: _tiles(image, one.size),
        FileKind.FILM: lambda: MOST_BYTES,
    }
    return of_kind[one.kind]()


def _embedded(image: Size, frame: Size, masks: int) -> int:
    """Return the bytes of an image, a JPEG, and of masks of half its sides, all in base64."""
    shown = _scaled(image, SIDE)
    half = math.ceil(shown[0] / 2), math.ceil(shown[1] / 2)
    return 4 * (_jpeg(shown) + masks * _mask(half, frame)) // 3


def _tiles(image: Size, maps: int) -> int:
    """Return the bytes of an image and of maps over it, JPEGs, and of the maps in grey, all in base64."""
    shown = _scaled(image, TILE_SIDE)
    return 4 * (_jpeg(shown) + maps * (_jpeg(shown) + _png(shown, GREY))) // 3


def _scaled(size: Size, side: int) -> Size:
    scale = min(1, side / max(size))
    return math.ceil(scale * size[0]), math.ceil(scale * size[1])


def _jpeg(size: Size) -> int:
    return JPEG_HEAD + JPEG * math.prod(size)


def _channels(spec: Spec, card: ModelCard | None) -> int:
    """Return the channels of the layer; where it isn't named, the most that a layer has."""
    layers = (card.layers if card else None) or ()
    named = getattr(spec, "layer", None)
    return max((one.channels for one in layers if named in (None, one.name)), default=UNKNOWN_CHANNELS)


def _mask(size: Size, frame: Size) -> int:
    part = 4 if math.prod(size) > FAR_LARGER * math.prod(frame) else 2
    return min(_png(size, GREY), max(_png(size, GREY), _png(frame, GREY)) // part)


def _shown(size: Size) -> int:
    return _png(_scaled(size, MOST_SHOWN), RGB)


def _sheet(tiles: int) -> int:
    return _png((tiles * (TILE + GAP), TILE + GAP + CAPTION), RGB)


def _png(size: Size, depth: int) -> int:
    """Return the most bytes of a PNG: its uncompressed pixels, a byte for each row, and the container."""
    raw = depth * math.prod(size) + max(size)
    return raw + raw // 500 + 512
