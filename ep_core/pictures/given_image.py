"""Images as a caller gives them, converted to one of the two forms that the engine takes: `Picture`."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from ep_core.errors import InvalidInput, UnreadableImage

from .decoding import Behind, read_with_level, to_rgb

Picture = Image.Image | Tensor
"""A picture, or a 1 x C x H x W tensor that is already preprocessed; C is 3 where the network takes RGB."""

AnyImage = Image.Image | str | os.PathLike[str] | bytes | bytearray | memoryview | npt.NDArray[Any] | Tensor
"""A picture: Pillow's, a file's path or bytes (turned upright by its EXIF), or RGB pixels H x W x 3 or grey ones H x W,
uint8 or float in [0, 1]. Or a tensor 1 x C x H x W that is already preprocessed, C = 3 where the network takes RGB."""

_KINDS = (
    "an image is one of Pillow's, a path, a file's bytes, an H x W x 3 array of pixels, "
    "or a preprocessed 1 x C x H x W tensor"
)
_loading = threading.Lock()
"""Pillow reads a file when its pixels are first needed, and isn't safe for two threads that do so at once."""


def given_image(image: AnyImage, white_level: int | None = None, *, behind: Behind = "white") -> Picture:
    """Return an image as an RGB picture, or as a preprocessed tensor of the caller's values, independent of it.

    Args:
        image: see `AnyImage`.
        white_level: of grey samples of more than 8 bits, the value that is white (`read_image`).
        behind: what transparent parts lie on.

    Example:
        >>> given_image(np.zeros((48, 64, 3), np.uint8)).size
        (64, 48)

    Raises:
        UnreadableImage, ImageTooLarge: the picture can't be decoded.
        InvalidInput: it is none of what `AnyImage` lists, has the wrong shape or type, or values out of range.
    """
    if white_level is not None and isinstance(image, Tensor | np.ndarray):
        raise InvalidInput("white_level is for files and Pillow's images: scale an array's pixels", field="white_level")
    if isinstance(image, Image.Image):
        return _rgb(image, white_level, behind)
    if isinstance(image, Tensor):
        return _preprocessed(image)
    if isinstance(image, np.ndarray):
        return _from_pixels(image)
    if isinstance(image, bytes | bytearray | memoryview):
        return read_with_level(bytes(image), white_level, behind=behind)
    if isinstance(image, str | os.PathLike):
        return read_with_level(_content(Path(image)), white_level, behind=behind)
    raise _wrong(f"{_KINDS}, not {type(image).__name__}")


def _rgb(image: Image.Image, white_level: int | None, behind: Behind) -> Image.Image:
    if 0 in image.size:
        raise UnreadableImage(f"the image has no pixels ({image.width} x {image.height})")
    try:
        with _loading:
            image.load()
    except Exception as error:  # Pillow's decoders raise nearly anything
        raise UnreadableImage(f"the image is damaged, or its file closed ({error}): open it again") from error
    return to_rgb(image, white_level, behind)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # a ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or error
        raise _wrong(f"the image file {str(path)!r} can't be read: {reason}") from error


def _preprocessed(tensor: Tensor) -> Tensor:
    if tensor.ndim != 4 or len(tensor) != 1 or 0 in tensor.shape:
        shape = tuple(tensor.shape)
        raise _wrong(f"a preprocessed image is 1 x C x H x W, C = 3 for RGB, not {shape}{_hint(tensor)}")
    if not tensor.is_floating_point() or tensor.is_meta or tensor.layout != torch.strided:
        kind = "on the meta device" if tensor.is_meta else f"{tensor.dtype}, {tensor.layout}"
        raise _wrong(f"a preprocessed image is a dense floating tensor, this one is {kind}: give pixels as an array")
    if not tensor.isfinite().all():
        raise _wrong("the preprocessed image has values that aren't finite numbers: look at how it was made")
    with torch.inference_mode(False):  # else the copy of a tensor of the inference mode would be one, too
        return tensor.detach().clone()


def _hint(tensor: Tensor) -> str:
    if tensor.ndim == 3 and tensor.shape[0] == 3:
        return ": give image[None] if it is normalised, else its pixels as an H x W x 3 array"
    if tensor.ndim == 4 and len(tensor) > 1:
        return ": give its images one by one, or the list images.split(1) to explain_batch"
    return ": give pixels as an H x W x 3 array"


def _from_pixels(pixels: npt.NDArray[Any]) -> Image.Image:
    shape = " x ".join(map(str, pixels.shape))
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3) or not pixels.size:
        first = pixels.ndim == 3 and pixels.shape[0] == 3
        hint = ": put the channels last, image.transpose(1, 2, 0)" if first else ""
        raise _wrong(f"pixels are H x W x 3 (RGB) or H x W (grey), not {shape or 'a single number'}{hint}")
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = _to_bytes(pixels)
    if pixels.dtype != np.uint8:
        raise _wrong(
            f"pixels are uint8, or floats in [0, 1], not {pixels.dtype}: scale them to 0 to 255 as uint8, or to floats"
        )
    return Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")


def _to_bytes(pixels: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint8]:
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 1):  # so that NaN is refused, too
        raise _wrong(
            f"pixels that are floats lie in [0, 1], these from {low:g} to {high:g}: divide those of 0 to 255 by 255, "
            "and give a normalised image as a 1 x 3 x H x W tensor"
        )
    return (pixels.astype(np.float32) * 255).round().astype(np.uint8)


def _wrong(detail: str) -> InvalidInput:
    return InvalidInput(detail, field="image")
