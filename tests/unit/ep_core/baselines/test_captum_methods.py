"""Methods that call captum: shapes, progress, and a network that is left unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ep_core.methods.base.method import AttributionRequest
from ep_core.methods.base.registry import get_method
from ep_core.models import Classifier

Attribute = Callable[..., Tensor]
QUICK = ("gradient", "deconvnet", "guided_backprop", "grad_cam")
LONG = ("smoothgrad", "integrated_gradients", "occlusion", "lime")
RANDOM = ("smoothgrad", "lime")


def state(network: nn.Module) -> list[Any]:
    """State of a network that a method might change."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [
        [(module, module.training, vars(module).get("inplace")) for module in network.modules()],
        [len(vars(module)[name]) for module in network.modules() for name in hooks],
        [(parameter.requires_grad, parameter.grad) for parameter in network.parameters()],
        torch.is_grad_enabled(),
        torch.get_rng_state().tolist(),
    ]


@pytest.mark.parametrize("name", QUICK + LONG)
def test_the_real_network_of_any_size_gets_finite_maps_and_stays_as_it_was(
    name: str, attribute: Attribute, mobilenet: Classifier, sample: Callable[[str], Image.Image]
):
    x = F.interpolate(mobilenet.preprocess(sample("black_bear"))[0], size=(42, 56))
    before = state(mobilenet.network), x.clone()
    found = attribute(name, mobilenet, x, 295, 207, samples=20)
    assert found.shape == (2, 42, 56)
    assert found.dtype == torch.float32
    assert found.isfinite().all()
    assert not found.requires_grad
    assert not torch.allclose(found[0], found[1])
    assert float(found.std()) > 0
    assert state(mobilenet.network) == before[0]
    assert torch.equal(x, before[1])


@pytest.mark.parametrize("name", QUICK + LONG)
def test_gradients_may_be_off_around_it(name: str, attribute: Attribute, convolutional: nn.Module, image: Tensor):
    expected = attribute(name, convolutional, image, 1, samples=20)
    with torch.no_grad():
        found = attribute(name, convolutional, image, 1, samples=20)
        assert not torch.is_grad_enabled()
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)  # libraries may choose other routines then


@pytest.mark.parametrize("name", QUICK + LONG)
def test_a_network_that_fails_midway_stays_as_it_was(
    name: str, asked: Callable[..., AttributionRequest], convolutional: nn.Module, image: Tensor
):
    request = asked(convolutional, image, 1, 2, samples=20)
    before = state(convolutional)
    passes = 0

    def fail(_module: nn.Module, _inputs: object, _output: object) -> None:
        nonlocal passes
        passes += 1
        if passes > fails_after:
            raise ZeroDivisionError

    # A rewritten network is first compared with the network.
    fails_after = {"gradient": 0, "grad_cam": 0, "deconvnet": 2, "guided_backprop": 2}.get(name, 1)
    handle = convolutional[-1].register_forward_hook(fail)
    with pytest.raises(ZeroDivisionError), request.model.frozen():
        get_method(name).attribute(request)
    handle.remove()
    assert state(convolutional) == before


@pytest.mark.parametrize("name", LONG)
def test_long_ones_say_how_far_they_are(name: str, attribute: Attribute, convolutional: nn.Module, image: Tensor):
    shares: list[float] = []
    attribute(name, convolutional, image, 1, 2, samples=45, on_share=shares.append)
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert len(shares) > 5
    assert 0.8 < shares[-1] <= 1


@pytest.mark.parametrize("name", LONG)
def test_what_the_watcher_raises_ends_the_work(
    name: str, attribute: Attribute, convolutional: nn.Module, image: Tensor
):
    def stop(share: float) -> None:
        if share > 0.3:
            raise TimeoutError

    before = state(convolutional)
    with pytest.raises(TimeoutError):
        attribute(name, convolutional, image, 1, on_share=stop)
    assert state(convolutional) == before


@pytest.mark.parametrize("name", QUICK + LONG)
def test_methods_say_whether_the_seed_matters(name: str, attribute: Attribute, convolutional: nn.Module, image: Tensor):
    first, other = (attribute(name, convolutional, image, 1, samples=20, seed=seed) for seed in (0, 1))
    assert torch.equal(first, other) != get_method(name).random
    assert get_method(name).random == (name in RANDOM)
