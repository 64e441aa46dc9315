"""Networks in another precision, that work in place, or by `torch.compile`, are explained like others."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ep_core import ChannelsSpec, CompareSpec, ExtremalSpec, compare, explain, explain_channels
from ep_core.methods.base.method import MethodUnavailable
from ep_core.models import Classifier, Preprocessing
from ep_core.models.sources.weights import state_digest
from ep_core.models.tuning.adapted import Adapted
from tests.networks import ADAPTED, COMPILED, SIDE, Spoiled, network, plain

pytestmark = pytest.mark.slow

PREPROCESSING = Preprocessing((SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
SPEC = ExtremalSpec(target=0, areas=(0.2,), iterations=2, alternatives=0)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", [*ADAPTED, *COMPILED])
def test_it_is_explained_and_left_alone(kind: str, image: Tensor) -> None:
    mine = network(kind)
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    model = Classifier(mine, preprocessing=PREPROCESSING)
    given = image.clone()
    found = explain(model, given, SPEC)
    assert math.isfinite(found.curve[0].preserve)
    assert 0.15 < found.curve[0].measured_area < 0.25
    assert torch.equal(given, image)
    assert all(torch.equal(value, before[name]) for name, value in mine.state_dict().items())
    assert isinstance(model.network, Adapted) == (kind in ADAPTED)


@pytest.mark.parametrize("kind", ["half", "bfloat16", "double", "half_inside", "half_scores"])
def test_scores_are_float32_and_those_of_the_network(kind: str, image: Tensor) -> None:
    scores = Classifier(network(kind), preprocessing=PREPROCESSING).network(image)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, plain()(image), rtol=0.05, atol=0.02)


def test_layers_of_a_network_of_several_outputs_are_seen_through(image: Tensor) -> None:
    mine = Spoiled(lambda network, images: {"logits": network(images), "images": images})
    spec = CompareSpec(target=0, areas=(0.2,), methods=("lrp", "excitation_backprop", "guided_backprop"))
    assert compare(Classifier(mine, preprocessing=PREPROCESSING), image, spec).refusals == []


def test_the_digest_is_that_of_the_network_given() -> None:
    mine = network("half")
    digest = Classifier(mine, preprocessing=PREPROCESSING).weights_digest
    assert digest == state_digest(mine)
    compiled = Classifier(network("compiled"), preprocessing=PREPROCESSING)
    assert compiled.weights_digest == Classifier(plain(), preprocessing=PREPROCESSING).weights_digest


@pytest.mark.parametrize("kind", ["half", "bfloat16", "in_place", "compiled", "compiled_in_place"])
def test_its_channels_are_explained(kind: str, image: Tensor) -> None:
    model = Classifier(network(kind), preprocessing=PREPROCESSING)
    layer = next(one.name for one in model.layers if one.type == "Conv2d")
    found = explain_channels(model, image, ChannelsSpec(target=0, layer=layer, areas=(2, 8), iterations=2, invert=True))
    assert found.activation.dtype == torch.float32
    assert found.curve[1].preserve == pytest.approx(found.scores.original, rel=0.02)


@pytest.mark.parametrize("kind", [*ADAPTED, *COMPILED])
def test_each_method_ends_in_an_answer_or_a_reason(kind: str, image: Tensor, caplog: pytest.LogCaptureFixture) -> None:
    model = Classifier(network(kind), preprocessing=PREPROCESSING)
    spec = CompareSpec(target=0, areas=(0.2,), iterations=1, samples=8)
    found = compare(model, image, spec).report()
    assert "failed in a comparison" not in caplog.text
    answered = {method.method for method in found.methods if method.unavailable is None}
    assert answered >= {"gradient", "rise", "occlusion", "lime", "extremal"}


def test_a_compiled_network_is_taken_out_of_its_wrapper() -> None:
    compiled = network("compiled")
    assert Classifier(compiled, preprocessing=PREPROCESSING).network is compiled._orig_mod


def test_method_unavailable_is_said_of_precision_that_a_rule_cannot_use(image: Tensor) -> None:
    model = Classifier(network("half"), preprocessing=PREPROCESSING)
    with pytest.raises(MethodUnavailable, match="no rule for to"):
        compare(model, image, CompareSpec(target=0, methods=("lrp",), areas=(0.2,)))
