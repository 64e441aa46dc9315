"""Explanations of many threads in common batches: each as if it were alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core import (
    Canceled,
    CompareSpec,
    Explanation,
    ExtremalSpec,
    Handle,
    Progress,
    ResidentEngine,
    compare,
    explain,
)
from ep_core.extremal.explanation import BlockMask
from ep_core.models import Classifier, Preprocessing
from ep_core.optimiser.resident import EngineClosed

SIDE = 64  # of smaller frames, elementwise functions round by place: vectors and what is left after them
LONG = ExtremalSpec(areas=(0.2, 0.5), iterations=50, independent=True).masks_only()
SHORT = LONG.model_copy(update={"areas": (0.3,), "iterations": 4})
WAIT_S = 60


class Batches(nn.Module):
    """A network that knows of its batches: how large they were, and whether it is to stop at the next one.

    Its scores depend on the rows of each image alone, to the bit; torch.fx can't trace it, so that no copy is made.
    """

    def __init__(self, side: int = SIDE) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(side)
        self.weights = nn.Parameter(torch.randn(3, 3, side, side, generator=generator) / side)
        self.sizes: list[int] = []
        self.most = 10**6
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Event()

    def forward(self, images: Tensor) -> Tensor:
        if images.requires_grad:
            self.sizes.append(len(images))
            self.arrived.set()
            assert self.gate.wait(WAIT_S)
        if len(images) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if images.requires_grad and (images > 8).any():
            raise RuntimeError("an image that this network can't take")
        return torch.stack([(images * one).sum(dim=3).sum(dim=2).sum(dim=1) for one in self.weights], dim=1)


def classifier(side: int = SIDE) -> Classifier:
    preprocessing = Preprocessing((side, side), mean=(0,) * 3, std=(1,) * 3)
    return Classifier(Batches(side), preprocessing=preprocessing, labels=("a", "b", "c"))


def picture(seed: int, side: int = SIDE) -> Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def model() -> Classifier:
    return classifier()


@pytest.fixture
def engine() -> Iterator[ResidentEngine]:
    with ResidentEngine() as engine:
        yield engine


def network_of(model: Classifier) -> Batches:
    assert isinstance(model.network, Batches)
    return model.network


def assert_as_alone(handle: Handle, model: Classifier, image: Any, spec: ExtremalSpec) -> None:
    found, alone = handle.result(WAIT_S), explain(model, image, spec)
    assert torch.equal(found.masks, alone.masks)
    assert [torch.equal(one.mask, other.mask) for one, other in zip(blocks(found), blocks(alone), strict=True)] == [
        True for _ in blocks(alone)
    ]
    assert answers(found) == answers(alone)


def blocks(found: Explanation) -> list[BlockMask[Any]]:
    return [*found.alternatives, *([found.contrast] if found.contrast else [])]


def answers(found: Explanation) -> dict[str, Any]:
    return found.report().model_dump(exclude={"timing"})


@pytest.fixture
def held(model: Classifier, engine: ResidentEngine) -> Iterator[tuple[Handle, Batches]]:
    """A long request in the midst of its steps, and the network, which goes on once its gate is set."""
    network = network_of(model)
    network.gate.clear()
    network.arrived.clear()
    handle = engine.submit(model, picture(0), LONG)
    assert network.arrived.wait(WAIT_S)
    yield handle, network
    network.gate.set()


def test_one_that_comes_later_shares_the_batches_and_ends_before(
    model: Classifier, engine: ResidentEngine, held: tuple[Handle, Batches]
) -> None:
    long, network = held
    lone = network.sizes[-1]
    short = engine.submit(model, picture(1), SHORT)
    network.gate.set()
    short.result(WAIT_S)
    assert not long.is_done
    assert max(network.sizes) == lone + 1
    assert_as_alone(long, model, picture(0), LONG)
    assert_as_alone(short, model, picture(1), SHORT)


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_many_at_once_of_several_networks_and_frames(engine: ResidentEngine, preset: Any) -> None:
    small, large = classifier(), classifier(96)
    specs = [
        ExtremalSpec(areas=(0.1, 0.4), iterations=3, preset=preset, target=1),
        ExtremalSpec(areas=(0.3,), iterations=2, preset=preset, variant="hybrid", perturbation="fade").masks_only(),
        ExtremalSpec(areas=(0.2, 0.6), iterations=2, preset=preset, variant="delete").masks_only(),
    ]
    asked = [
        (model, picture(k, side), spec) for k, spec in enumerate(specs) for model, side in ((small, SIDE), (large, 96))
    ]
    handles = [engine.submit(model, image, spec) for model, image, spec in asked]
    for handle, (model, image, spec) in zip(handles, asked, strict=True):
        assert_as_alone(handle, model, image, spec)


def test_one_of_many_is_canceled(model: Classifier, engine: ResidentEngine, held: tuple[Handle, Batches]) -> None:
    long, network = held
    other = engine.submit(model, picture(1), SHORT)
    long.cancel()
    network.gate.set()
    with pytest.raises(Canceled):
        long.result(WAIT_S)
    assert_as_alone(other, model, picture(1), SHORT)


def test_what_a_listener_raises_ends_its_own_request_alone(model: Classifier, engine: ResidentEngine) -> None:
    def refuse(_: Progress) -> None:
        raise KeyError("its own")

    bad, good = engine.submit(model, picture(0), SHORT, on_progress=refuse), engine.submit(model, picture(1), SHORT)
    with pytest.raises(KeyError, match="its own"):
        bad.result(WAIT_S)
    assert_as_alone(good, model, picture(1), SHORT)


def test_an_error_of_the_network_is_its_images_own(
    model: Classifier, engine: ResidentEngine, held: tuple[Handle, Batches]
) -> None:
    """A batch raises as a whole: the lanes of each request are stepped by themselves then."""
    long, network = held
    bad, good = (engine.submit(model, image, LONG) for image in (100 * picture(2), picture(1)))
    network.gate.set()
    with pytest.raises(RuntimeError, match="can't take"):
        bad.result(WAIT_S)
    assert_as_alone(long, model, picture(0), LONG)
    assert_as_alone(good, model, picture(1), LONG)


def test_memory_that_runs_out_halves_the_batches_and_fails_nobody(
    model: Classifier, engine: ResidentEngine, held: tuple[Handle, Batches]
) -> None:
    long, network = held
    others = [engine.submit(model, picture(k), SHORT) for k in (1, 2, 3)]
    network.most = 2
    network.gate.set()
    for k, handle in enumerate(others, start=1):
        assert_as_alone(handle, model, picture(k), SHORT)
    assert_as_alone(long, model, picture(0), LONG)


def test_a_closed_engine_ends_what_waits_and_takes_no_more(
    model: Classifier, held: tuple[Handle, Batches], engine: ResidentEngine
) -> None:
    long, network = held
    closing = threading.Thread(target=engine.close)
    closing.start()
    network.gate.set()
    closing.join(WAIT_S)
    assert not closing.is_alive()
    with pytest.raises(EngineClosed):
        long.result(WAIT_S)
    with pytest.raises(EngineClosed):
        engine.submit(model, picture(1), SHORT).result(WAIT_S)


def test_a_methods_passes_let_steps_of_others_in_between(model: Classifier, engine: ResidentEngine) -> None:
    handles: list[Handle] = []
    passes = [0, 0]  # before the other's end, and after it

    def look(_: Progress) -> None:
        if not handles:
            handles.append(engine.submit(model, picture(1), SHORT))
        passes[handles[0].is_done] += 1

    spec = CompareSpec(methods=("rise",), areas=(0.2,))
    beside = compare(model, picture(0), spec, on_progress=look, runner=engine)
    assert passes[1] > passes[0] > 0
    assert torch.equal(beside.methods[0].map, compare(model, picture(0), spec).methods[0].map)
    assert_as_alone(handles[0], model, picture(1), SHORT)


def test_bad_input_is_told_to_who_asked(model: Classifier, engine: ResidentEngine) -> None:
    with pytest.raises(ValueError, match="target"):
        engine.submit(model, picture(0), replace_target(SHORT, 7)).result(WAIT_S)


def replace_target(spec: ExtremalSpec, target: int) -> ExtremalSpec:
    return spec.model_copy(update={"target": target})


def test_progress_shows_the_masks_while_others_are_stepped(model: Classifier, engine: ResidentEngine) -> None:
    seen: list[tuple[int, int, list[float]]] = []

    def look(progress: Progress) -> None:
        shown = progress.previews()
        assert all(mask.shape == (SIDE, SIDE) for mask in shown.values())
        seen.append((progress.iteration, progress.total, sorted(shown)))

    spec = ExtremalSpec(areas=(0.2, 0.5), iterations=20).masks_only()
    handles = [engine.submit(model, picture(k), spec, on_progress=look if k == 0 else None) for k in range(3)]
    for handle in handles:
        handle.result(WAIT_S)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert seen[-1][0] == seen[-1][1]
    assert [0.2, 0.5] in [areas for _, _, areas in seen]


def test_the_network_is_left_as_it_was(model: Classifier, engine: ResidentEngine) -> None:
    model.network.train()
    handles = [engine.submit(model, picture(k), SHORT) for k in range(3)]
    for handle in handles:
        handle.result(WAIT_S)
    assert model.network.training
    assert all(parameter.requires_grad for parameter in model.network.parameters())


@pytest.mark.slow
def test_the_default_network_gives_the_same_bits_in_company(
    mobilenet: Classifier, sample: Callable[[str], Image.Image], engine: ResidentEngine
) -> None:
    specs = [
        ExtremalSpec(areas=(0.1, 0.4), iterations=4),
        ExtremalSpec(areas=(0.2,), iterations=3, check_extremality=False),
        ExtremalSpec(areas=(0.2,), iterations=3, independent=True).masks_only(),
    ]
    asked = list(zip(("goose", "pizza", "airliner"), specs, strict=True))
    handles = [engine.submit(mobilenet, sample(name), spec) for name, spec in asked]
    for handle, (name, spec) in zip(handles, asked, strict=True):
        assert_as_alone(handle, mobilenet, sample(name), spec)
