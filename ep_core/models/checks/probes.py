"""Probe images to try a network on: synthetic, with detail at all scales as in photographs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.models.preprocessing import Preprocessing
from ep_core.models.runtime.backend_flags import random_numbers

CELLS = (2, 4, 8, 16, 32, 64, 128)  # across the image, one random colour each
KEPT = 2  # scales that are left in the blurred image
CONTRAST = 0.3  # gives pixel values about the deviation that those of photographs have


def probe_images(preprocessing: Preprocessing, device: torch.device, seed: int = 0) -> Tensor:
    """Return an image and its blur as a network's input: 2 x C x H x W, float32; torch's random numbers are left alone.

    Args:
        preprocessing: size, channels and normalisation.
        device: where.
        seed: another one gives another image, the same on all devices.
    """
    chance = torch.Generator().manual_seed(seed)
    colours = [torch.rand(1, preprocessing.planes, cells, cells, generator=chance) - 0.5 for cells in CELLS]
    scales = torch.cat([interpolate(one, preprocessing.input_size, mode="bilinear") for one in colours])
    pixels = torch.stack([scales.sum(dim=0), scales[:KEPT].sum(dim=0)]).mul(CONTRAST).add(0.5).clamp(0, 1)
    return preprocessing.normalise(pixels).to(device)


@contextmanager
def on_trial(device: torch.device) -> Iterator[None]:
    """Leave torch's random numbers, of the CPU and the device, as they were, and any inference mode outside."""
    generators = torch.random.fork_rng([device] if device.type == "cuda" else [])
    with random_numbers, generators, torch.inference_mode(mode=False):
        yield
