"""Fixtures for all tests: the real default network and real photographs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from ep_core.models.runtime.heap import keep_freed_memory
from ep_core.models.runtime.threads import spin_briefly
from worker.process.cores import threads_per_worker

from .pictures import encode

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

    from ep_core.models import Classifier

spin_briefly()
if side_by_side := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):  # they share the cores; what they start inherits it
    os.environ["OMP_NUM_THREADS"] = str(threads_per_worker(int(side_by_side)))
keep_freed_memory()  # as the command and the worker do, before torch is loaded

SAMPLES = Path(__file__).parents[1] / "samples"
WITH_A_STACK = ("tests/dashboard/", "tests/e2e/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Distribute tests by file, those that share a running stack together: each process would start its own."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByStack(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((folder for folder in WITH_A_STACK if file.startswith(folder)), file)

    return ByStack(config, log)


@pytest.fixture(scope="session")
def mobilenet() -> Classifier:
    """The default network on the CPU, with its trained weights."""
    from ep_core.models import load_model  # here, so that tests without torch can share this file

    return load_model("mobilenet_v2", device="cpu")


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Image.Image]:
    """A function from a name such as ``"goose"`` to the photograph in ``samples/``."""
    return lambda name: Image.open(SAMPLES / f"{name}.jpg")


@pytest.fixture(scope="session")
def photograph(sample: Callable[[str], Image.Image]) -> Image.Image:
    """The goose, RGB."""
    return sample("goose").convert("RGB")


@pytest.fixture(scope="session")
def jpeg(photograph: Image.Image) -> bytes:
    """The goose as a JPEG."""
    return encode(photograph, "JPEG")
