"""Preprocessing of Hugging Face's image processors: read from one's settings, and compared with what it computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.models.checks.brief import brief
from ep_core.models.checks.normalisation import PerChannel
from ep_core.models.preprocessing import Preprocessing
from ep_core.models.sources.model_list import PreprocessingTable

from .library import transformers

MOST_APART = 1 / 255
"""Mean difference of pixel values in [0, 1] between a processor's output and ours that rounding explains."""
_WARPED_FROM = 384  # ConvNeXt's processor crops nothing from this size on
_SIZES = ((331, 260), (205, 300))  # width and height of the pictures that a processor is tried on
_OWN = "give the entry its own `preprocessing` (input_size, resize, interpolation, mean, std)"


def read_preprocessing(folder: Path, table: PreprocessingTable, *, square: bool = False) -> Preprocessing:
    """Return the preprocessing of a folder's image processor, or that of an entry where it is complete.

    Args:
        folder: of the network.
        table: the entry's.
        square: whether a frame that has the proportions of each picture, as detectors' have, is made a square of its
            shorter side, to which pictures are stretched.

    Raises:
        InvalidInput: there is no image processor, or it does what has no equal here.
    """
    if table.input_size and table.mean and table.std:
        return Preprocessing(table.input_size, mean=table.mean, std=table.std)
    try:
        processor = transformers().AutoImageProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
    except Exception as error:
        raise InvalidInput(
            f"{folder.name} has no image processor that can be read ({brief(error)}): {_OWN}", field="model"
        ) from error
    if square and processor.size.shortest_edge and not getattr(processor, "do_center_crop", False):
        edge = processor.size.shortest_edge
        processor.size, processor.do_pad = type(processor.size)(height=edge, width=edge), False
    return from_image_processor(processor)


def from_image_processor(processor: Any) -> Preprocessing:
    """Return what one of transformers' image processors does.

    Raises:
        InvalidInput: that has no equal here.
    """
    found = _from_settings(processor)
    if found is None:
        raise _unlike(processor, "its resize and crop have no equal here")
    for image in _pictures():
        try:
            theirs = processor(images=image, return_tensors="pt")["pixel_values"][0]
        except Exception as error:
            raise _unlike(processor, f"it fails on a picture: {brief(error)}") from error
        ours = found.preprocess(image)[0][0]
        if theirs.shape != ours.shape:
            raise _unlike(processor, f"it gives {tuple(theirs.shape)} for a picture, not {tuple(ours.shape)}")
        apart = (theirs - ours).abs() * torch.tensor(found.std)[:, None, None]
        if not apart.mean() <= MOST_APART:
            raise _unlike(processor, "it does more than to resize, crop and normalise")
    return found


def _from_settings(processor: Any) -> Preprocessing | None:
    frame = _frame(processor)
    if frame is None:
        return None
    size, resize = frame
    scale = 255 * (processor.rescale_factor if processor.do_rescale else 1)
    mean, std = (processor.image_mean, processor.image_std) if processor.do_normalize else ([0] * 3, [1] * 3)
    return Preprocessing(
        size,
        resize,
        interpolation=Image.Resampling(int(processor.resample)).name.lower(),
        mean=_scaled(mean, scale),
        std=_scaled(std, scale),
        crop_rounding="down",
    )


def _scaled(values: Sequence[float], scale: float) -> PerChannel:
    return tuple(float(value) / scale for value in values)


def _frame(processor: Any) -> tuple[tuple[int, int], int | tuple[int, int] | None] | None:
    """Return `input_size` and `resize`; None where there are none such."""
    size = getattr(processor, "size", None)
    if size is None or not processor.do_resize:
        return None
    crop = (processor.crop_size.height, processor.crop_size.width) if processor.do_center_crop else None
    if size.height and size.width:
        stretched = (size.height, size.width)
        return (crop, stretched) if crop and crop != stretched else (stretched, None)
    edge, share = size.shortest_edge, getattr(processor, "crop_pct", None)
    if not edge or size.longest_edge:
        return None
    if crop:
        return crop, int(edge / (share or 1))
    return ((edge, edge), int(edge / share) if edge < _WARPED_FROM else None) if share else None


def _pictures() -> Iterator[Image.Image]:
    """Yield pictures of coloured cells, one wide and one high."""
    chance = np.random.default_rng(0)
    for width, height in _SIZES:
        cells = chance.integers(0, 256, (height // 5, width // 5, 3), dtype=np.uint8)
        yield Image.fromarray(cells).resize((width, height), Image.Resampling.NEAREST)


def _unlike(processor: Any, reason: str) -> InvalidInput:
    return InvalidInput(
        f"the image processor {type(processor).__name__} can't be taken over: {reason}; {_OWN}", field="model"
    )
