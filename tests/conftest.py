"""Fixtures for all tests: the real default network and real photographs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from ep_core.memory import keep_freed_memory
from ep_core.threads import spin_briefly

if TYPE_CHECKING:
    from ep_core.models import Classifier

spin_briefly()
keep_freed_memory()  # as the command and the worker do, before torch is loaded

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(scope="session")
def mobilenet() -> Classifier:
    """The default network on the CPU, with its trained weights."""
    from ep_core.models import load_model  # here, so that tests without torch can share this file

    return load_model("mobilenet_v2", device="cpu")


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Image.Image]:
    """A function from a name such as ``"goose"`` to the photograph in ``samples/``."""
    return lambda name: Image.open(SAMPLES / f"{name}.jpg")
