"""Fixtures and helpers that the engine's tests share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from ep_core.masks.perturbation import Pyramids, fade_pyramid
from ep_core.models import Classifier, Preprocessing

SIDE = 168
SPOTS = (slice(20, 68), slice(100, 148))
"""Rows and columns of the bright spots that the classes look at: 48 x 48 pixels, 8.2% of the image."""


@pytest.fixture
def spot_model() -> Classifier:
    """A classifier whose answer is known: class k scores the detail in spot k, and nothing else.

    It multiplies the image with a checkerboard on the class's spot, so that a dark spot scores 0.
    """
    spots = torch.zeros(2, 3, SIDE, SIDE)
    for spot, where in zip(spots, SPOTS, strict=True):
        spot[:, where, where] = checkerboard()[:, where, where] / 50
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 2, bias=False))
    with torch.no_grad():
        network[1].weight.copy_(spots.flatten(1))
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(network, name="spots", preprocessing=preprocessing, labels=["upper left", "lower right"])


@pytest.fixture
def pyramids() -> Pyramids:
    """The fade of an image that is all detail, a checkerboard: linear, so that the best mask covers the spot."""
    return Pyramids(fade_pyramid(checkerboard()[None] / 2 + 0.5, black=torch.zeros(3, 1, 1))[None])


def checkerboard() -> Tensor:
    """3 x H x W of -1 and 1."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    return (2.0 * ((rows + columns) % 2) - 1).expand(3, -1, -1)


@pytest.fixture(autouse=True)
def one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Small tensors on one thread: more only wait for each other."""
    if "mobilenet" in request.fixturenames:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT interrupts; it is ignored where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
