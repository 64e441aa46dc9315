"""The counter: exact costs of methods, of images of other sizes, and of copies of a network."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core.evaluation.cost import counted
from ep_core.methods.base.method import AttributionRequest
from ep_core.methods.base.registry import get_method
from ep_core.models import Classifier
from ep_core.models.tuning.tune import tune
from ep_core.schemas.specs import CompareSpec


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    ).eval()


def test_a_forward_pass_counts_one_an_image_and_a_backward_pass_two_more(network: nn.Module) -> None:
    x = torch.rand(3, 3, 16, 16, requires_grad=True)
    with counted(network, (16, 16)) as cost:
        assert cost() == 0
        scores = network(x)
        assert cost() == 3
        torch.autograd.grad(scores.sum(), x)
        assert cost() == 9
        with torch.no_grad():
            network(x)
        assert cost() == 12
    network(x)
    assert cost() == 12


def test_images_of_another_size_count_by_their_pixels(network: nn.Module) -> None:
    with counted(network, (16, 16)) as cost:
        network(torch.rand(2, 3, 8, 24))
    assert cost() == 2 * 8 * 24 / 16**2


def test_a_tuned_copy_is_counted_and_its_gradient_is_unchanged(network: nn.Module) -> None:
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    x = torch.rand(2, 3, 16, 16, requires_grad=True)
    (expected,) = torch.autograd.grad(network(x).sum(), x)
    with counted(network, (16, 16)) as cost:
        copy = tune(network, x.detach()[:1])
        assert copy is not network
        assert cost() == 1  # the copy is compared with the network
        (found,) = torch.autograd.grad(copy(x).sum(), x)
        assert cost() == 1 + 2 * 3
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("center", 0),
        ("gradient", 3),
        ("integrated_gradients", 3 * 50),
        ("smoothgrad", 3 * 5),
        ("deconvnet", 1 + 3),  # the rewritten copy is compared with the network
        ("guided_backprop", 1 + 3),
        ("lrp", 3),
        ("rise", 1 + 5),
        ("lime", 1 + 5),
        ("meaningful_perturbation", 1 + 3 * 4),
    ],
)
def test_costs_of_methods(name: str, expected: float, network: nn.Module) -> None:
    model = Classifier(network)
    x = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with counted(network, (224, 224)) as cost, model.frozen():
        get_method(name).attribute(AttributionRequest(model, x, (1,), CompareSpec(samples=5, iterations=4)))
    assert cost() == expected


def test_a_greedy_search_costs_what_its_regions_say(
    mobilenet: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    x, _ = mobilenet.preprocess(sample("goose"))
    with counted(mobilenet.network, mobilenet.input_size) as cost, mobilenet.frozen():
        ranks: Tensor = get_method("greedy_superpixels").attribute(
            AttributionRequest(mobilenet, x, (99,), CompareSpec(samples=42))
        )
    regions = len(ranks.unique())
    assert 2 <= regions <= 9
    assert cost() == 1 + regions * (regions + 1) - 2
