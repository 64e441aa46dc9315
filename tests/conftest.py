"""Fixtures for all tests: the real default network and real photographs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from PIL import Image

from ep_core.models.runtime.heap import keep_freed_memory
from ep_core.models.runtime.threads import spin_briefly
from worker.process.cores import threads_per_worker

from .pictures import encode

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

    from ep_core.models import Classifier

    from .running_stack import Stack

spin_briefly()
if side_by_side := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):  # they share the cores; what they start inherits it
    os.environ["OMP_NUM_THREADS"] = str(threads_per_worker(int(side_by_side)))
settings.register_profile("any machine", deadline=None)  # how long an example takes depends on what runs beside it
settings.load_profile("any machine")
keep_freed_memory()  # as the command and the worker do, before torch is loaded

SAMPLES = Path(__file__).parents[1] / "samples"
WITH_A_STACK = ("tests/stack/",)
LARGE = {"mobilenet", "efficientnet", "vgg", "untrained"}
"""Fixtures that are networks of photographs: their tests take seconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of networks of photographs, which `make unit` leaves out; mix the tiers.

    Tests on the stack come first: they run one after the other, and at the end the other processes would wait for them.
    Beside them, those that wait for processes alternate, file by file, with those that compute.
    """
    for item in items:
        if LARGE & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    place = _places(dict.fromkeys(map(_file, items)))
    items.sort(key=lambda item: place[_file(item)])


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _places(files: Iterable[str]) -> dict[str, float]:
    """Return when each file's turn is: 0 for those on the stack, then the other tiers spread evenly from 0 to 1."""
    tiers: dict[str, list[str]] = {}
    for file in files:
        tiers.setdefault("/".join(file.split("/")[:2]), []).append(file)
    stack = tiers.pop("tests/stack", [])
    spread = {file: (k + 1) / len(tier) for tier in tiers.values() for k, file in enumerate(tier)}
    return dict.fromkeys(stack, 0.0) | spread


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Distribute tests by file, those on the running stack together: a second process would start one of its own."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByStack(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "the stack" if file.startswith(WITH_A_STACK) else file

    return ByStack(config, log)


_MOBILENETS = """
[models.mobilenet_v2]
torchvision = "mobilenet_v2"

[models.mobilenet_small]
torchvision = "mobilenet_v2"

[models.mobilenet_small.preprocessing]
input_size = [112, 112]
resize = 128
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]

[models.absent]
torchvision = "resnet18"
file = "absent.pth"
"""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The one running stack of all tests: the default model, also for small images, and others.

    These are a slow one, one of embeddings, one whose weights are missing, and one whose gradient is of no use.
    """
    from .networks import model_list  # here, so that tests without torch or httpx can share this file
    from .running_stack import WEBHOOK_SECRET, Stack

    folder = tmp_path_factory.mktemp("stack")
    models = folder / "models.toml"
    models.write_text(_MOBILENETS + model_list("slow", "embedding", "constant"))
    with Stack(
        folder,
        EP_MODELS_FILE=models,
        EP_TRUSTED_PROXIES="127.0.0.1",  # the tests' own proxy
        EP_WEBHOOK_SECRET=WEBHOOK_SECRET,
        EP_ALLOW_PRIVATE_URLS="true",  # the tests' own receivers
        EP_STOP_GRACE_S=1,  # nobody waits for a job that a test left behind
        PYTHONPATH=SAMPLES.parent,  # for the small networks
    ) as running:
        yield running


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
