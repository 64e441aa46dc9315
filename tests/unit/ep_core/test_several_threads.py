"""Several threads explain at once: each gets what it gets alone, and the networks are left as they were."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core import ChannelsSpec, CompareSpec, ExtremalSpec, compare, explain, explain_channels
from ep_core.models import Classifier, Preprocessing

pytestmark = pytest.mark.slow

SIDE = 40
METHODS = ("grad_cam", "guided_backprop", "smoothgrad", "excitation_backprop", "occlusion", "extremal")
IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))


def backbone() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU()),
    )


def headed(body: nn.Module, seed: int = 0) -> Classifier:
    """A classifier on a body, as it is in the midst of its training: one module and one parameter are left out."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5))
    network = nn.Sequential(body, head).train()
    body[1].eval()
    body[0].weight.requires_grad_(False)
    return Classifier(network, preprocessing=Preprocessing((SIDE, SIDE), mean=(0.5,) * 3, std=(0.25,) * 3))


@pytest.fixture
def model() -> Classifier:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return headed(backbone())


class Untraceable(nn.Module):
    """A network that torch.fx can't trace, which the engine cuts by hooks on its layers."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images) if len(images) else images


def masks_of(model: Classifier) -> list[Tensor]:
    found = explain(model, IMAGE, ExtremalSpec(areas=(0.2, 0.5), iterations=6, alternatives=0, target=1))
    return [found.masks, torch.tensor([point.preserve for point in found.curve])]


def channels_of(model: Classifier) -> list[Tensor]:
    layer = next(card.name for card in model.layers if card.channels == 12)
    found = explain_channels(model, IMAGE, ChannelsSpec(areas=(2, 6), iterations=6, target=1, layer=layer))
    return [found.masks, found.activation]


def maps_of(model: Classifier) -> list[Tensor]:
    spec = CompareSpec(methods=METHODS, areas=(0.3,), iterations=2, samples=8, target=1)
    answers = compare(model, IMAGE, spec).methods
    return [answer.map for answer in answers if hasattr(answer, "map")]


def failing(model: Classifier) -> list[Tensor]:
    def stop(_progress: object) -> None:
        raise KeyError("its own")

    with pytest.raises(KeyError, match="its own"):
        explain(model, IMAGE, ExtremalSpec(areas=(0.4,), iterations=4), on_progress=stop)
    return []


WORK = (failing, masks_of, channels_of, maps_of)


def state(network: nn.Module) -> list[Any]:
    values = [value.tolist() for value in network.state_dict().values()]
    modes = [module.training for module in network.modules()]
    hooks = [len(module._forward_hooks) for module in network.modules()]
    return [modes, hooks, [parameter.requires_grad for parameter in network.parameters()], values]


def at_once(calls: list[Callable[[], list[Tensor]]]) -> list[list[Tensor]]:
    """Return what each call gives, in a thread each; all begin together."""
    begin = threading.Barrier(len(calls))

    def run(call: Callable[[], list[Tensor]]) -> list[Tensor]:
        torch.set_num_threads(1)
        begin.wait(60)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def assert_same(found: list[list[Tensor]], alone: list[list[Tensor]]) -> None:
    for ours, theirs in zip(found, alone, strict=True):
        assert [tuple(one.shape) for one in ours] == [tuple(one.shape) for one in theirs]
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("wrap", [lambda network: network, Untraceable], ids=["traced", "hooked"])
def test_four_threads_on_one_classifier(model: Classifier, wrap: Callable[[nn.Module], nn.Module]) -> None:
    shared = Classifier(wrap(model.network), preprocessing=model.preprocessing)
    before = state(shared.network)
    alone = [work(shared) for work in WORK]
    assert len(alone[3]) >= 5 - 2 * (wrap is Untraceable)  # the methods that rewrite a network can't explain that one
    assert_same(at_once([lambda work=work: work(shared) for work in WORK]), alone)
    assert state(shared.network) == before


def test_a_thread_each_for_classifiers_that_share_a_part() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        body = backbone()
    models = [headed(body, seed) for seed in range(3)]
    before = [state(model.network) for model in models]
    calls = [lambda work=work, model=model: work(model) for work, model in zip(WORK[1:], models, strict=True)]
    alone = [call() for call in calls]
    assert_same(at_once(calls), alone)
    assert [state(model.network) for model in models] == before


def test_a_thread_each_for_classifiers_of_their_own() -> None:
    """torch.fx traces one while the others compute."""
    models = [headed(backbone(), seed) for seed in range(len(WORK))]
    calls = [lambda work=work, model=model: work(model) for work, model in zip(WORK, models, strict=True)]
    alone = [call() for call in calls]
    assert_same(at_once(calls), alone)


def test_threads_that_make_a_classifier_each_of_one_network_all_end() -> None:
    """Each tries the network, and SmoothGrad draws random numbers while it has it: neither waits for the other."""
    network = headed(backbone()).network
    begun = threading.Barrier(2)

    def answer(_: int) -> int:
        begun.wait()
        asked = {"methods": ["smoothgrad"], "areas": [0.5], "samples": 2, "target": 0}
        return sum(
            len(compare(Classifier(network, preprocessing=Preprocessing((SIDE, SIDE))), IMAGE, asked).methods)
            for _ in "1234"
        )

    pool = ThreadPoolExecutor(2)
    try:
        assert [one.result(timeout=60) for one in (pool.submit(answer, 0), pool.submit(answer, 1))] == [4, 4]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
