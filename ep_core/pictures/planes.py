"""Planes of colour: pictures as tensors of as many planes as a network takes, and tensors as RGB."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .decoding import to_rgb

GREY, RGB, RGBA = 1, 3, 4
MODES = {GREY: "L", RGB: "RGB", RGBA: "RGB"}
"""Pillow's mode of the pictures for a network of so many channels. Decoding has put what is transparent on white."""


def colour_planes(channels: int) -> int:
    """Return how many planes of a network's channels show something: of RGBA three, its pictures are opaque."""
    return RGB if channels == RGBA else channels


def in_mode(image: Image.Image, channels: int) -> Image.Image:
    """Return a picture of any mode in that of a network of so many channels, one of `MODES`."""
    return to_rgb(image).convert(MODES[channels])


def pixels_of(image: Image.Image) -> Tensor:
    """Return the pixel values of a picture of the mode L or RGB: P x H x W in [0, 1], float32."""
    values = torch.from_numpy(np.array(image)).view(image.height, image.width, -1)
    return values.permute(2, 0, 1).contiguous().float() / 255


def as_rgb(pixels: Tensor) -> Tensor:
    """Return pixel values of any number of channels as RGB: N x C x H x W -> N x 3 x H x W.

    RGBA loses its transparency. Channels that are no colours are shown as grey, by their mean.
    """
    if pixels.shape[1] in (RGB, RGBA):
        return pixels[:, :RGB]
    return pixels.mean(dim=1, keepdim=True).expand(-1, RGB, -1, -1)
