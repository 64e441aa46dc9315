"""A method that fails in a comparison fails alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ep_core import Classifier, CompareSpec, compare
from ep_core.compare import attribution
from ep_core.compare.comparison import Answer, Refusal
from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.passes import batch_on
from ep_core.methods.base.registry import get_method
from tests.unit.ep_core.conftest import checkerboard

IMAGE = checkerboard()[None] / 2 + 0.5
SPEC = CompareSpec(target=0, methods=("center", "gradient"), areas=(0.1,), perturbation="fade")


@pytest.fixture
def gradient_is(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[AttributionRequest], Tensor]], None]:
    """Puts another function in place of the method `gradient`."""

    def put(attribute: Callable[[AttributionRequest], Tensor]) -> None:
        def get(name: str) -> Method:
            method = get_method(name)
            return replace(method, attribute=attribute) if name == "gradient" else method

        monkeypatch.setattr(attribution, "get_method", get)

    return put


def fails(_request: AttributionRequest) -> Tensor:
    raise RuntimeError("nothing like this was foreseen\nand more")


def test_the_others_answer(spot_model: Classifier, gradient_is: Callable[..., None]) -> None:
    gradient_is(fails)
    first, second = compare(spot_model, IMAGE, SPEC).methods
    assert isinstance(first, Answer)
    said = "gradient failed on this model: RuntimeError: nothing like this was foreseen"
    assert second == Refusal("gradient", said, is_failure=True)


def test_where_all_fail_unexpectedly_the_comparison_fails_so(
    spot_model: Classifier, gradient_is: Callable[..., None]
) -> None:
    gradient_is(fails)
    with pytest.raises(RuntimeError, match="foreseen"):
        compare(spot_model, IMAGE, SPEC.model_copy(update={"methods": ("gradient",)}))


def test_a_device_beyond_use_ends_the_comparison(spot_model: Classifier, gradient_is: Callable[..., None]) -> None:
    def poisoned(_request: AttributionRequest) -> Tensor:
        raise RuntimeError("CUDA error: device-side assert triggered")

    gradient_is(poisoned)
    with pytest.raises(RuntimeError, match="device-side"):
        compare(spot_model, IMAGE, SPEC)


def test_what_the_watcher_raises_passes_through(spot_model: Classifier, gradient_is: Callable[..., None]) -> None:
    def watched(request: AttributionRequest) -> Tensor:
        request.on_share(0.5)
        return torch.ones(1, *request.x.shape[2:])

    def stop(progress: object) -> None:
        raise ConnectionError("the watcher is gone")

    gradient_is(watched)
    with pytest.raises(ConnectionError, match="the watcher"):
        compare(spot_model, IMAGE, SPEC, on_progress=stop)


@pytest.mark.parametrize("enough", [8, 2, 0])
def test_out_of_memory_is_tried_in_smaller_batches(
    spot_model: Classifier, gradient_is: Callable[..., None], enough: int
) -> None:
    tried: list[int] = []

    def hungry(request: AttributionRequest) -> Tensor:
        tried.append(batch_on(request.device))
        if tried[-1] > enough:
            raise MemoryError
        return torch.ones(1, *request.x.shape[2:])

    gradient_is(hungry)
    found = compare(spot_model, IMAGE, SPEC).methods[1]
    assert tried == [size for size in (8, 2, 1) if size >= enough]
    if enough:
        assert isinstance(found, Answer)
    else:
        assert found == Refusal("gradient", "gradient needs more memory than there is, however small its batches")
    assert batch_on(torch.device("cpu")) == 8
