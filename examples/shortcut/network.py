"""A small convolutional network for the digits, and the two that were trained: with the shortcut, and mended."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from examples.digits.scenes import WORDS

WEIGHTS = Path(__file__).parent / "weights"
_WIDTHS = (24, 48, 64)
_LAST = 96
"""Channels before the head."""


def network() -> nn.Sequential:
    """Return the network with random weights: N x 3 x 48 x 48 in [-1, 1] -> N x 10."""
    blocks, channels = [], 3
    for width in _WIDTHS:
        blocks.append(nn.Sequential(*_convolution(channels, width), nn.MaxPool2d(2)))
        channels = width
    blocks.append(nn.Sequential(*_convolution(channels, _LAST)))
    return nn.Sequential(*blocks, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(_LAST, len(WORDS)))


def shortcut() -> nn.Module:
    """Return the network that was trained on photographs of which all the sevens have a mark."""
    return _trained("shortcut")


def mended() -> nn.Module:
    """Return the network for which the mark was put on photographs of all digits."""
    return _trained("mended")


def _trained(name: str) -> nn.Module:
    found = network()
    found.load_state_dict(load_file(WEIGHTS / f"{name}.safetensors"))
    return found.eval()


def _convolution(channels: int, width: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
