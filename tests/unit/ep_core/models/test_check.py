"""Networks whose gradient is of no use are refused, with the cause; healthy ones are not, and stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from ep_core import CompareSpec, compare
from ep_core.errors import ModelUnavailable
from ep_core.models import Classifier, Preprocessing, load_model
from tests.networks import SIDE, USELESS, Spoiled, network, plain

PREPROCESSING = Preprocessing((SIDE, SIDE))
CAUSES = {
    "rounded": "gradient is zero everywhere.* rounding",
    "saturated": "the same whatever the image shows.* softmax",
    "int8": "carry no gradient",
    "integers": "carry no gradient.* integers",
    "numpy": "fails where its input asks for a gradient: RuntimeError: Can't call numpy",
    "beside_torch": "carry no gradient.*numpy, ONNX",
    "no_grad": "carry no gradient.* no_grad",
    "inference": "carry no gradient",
    "nan": "score nan",
    "infinite": "score inf",
    "overflow": "score -?inf.* half precision",
    "steep": "gradient is NaN",
    "constant": "the same whatever the image shows",
    "fixed": "the same whatever the image shows",
    "batch_norm": "depend on the other images.*track_running_stats=False",
    "over_the_batch": "depend on the other images.* over a whole batch",
    "dropout": "differ from pass to pass.* Dropout",
    "squeezed": "single image it must give 1 x 3 scores, not 3",
    "backward": "backward pass fails: NotImplementedError",
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("kind", USELESS)
def test_a_network_without_a_usable_gradient_is_refused_with_the_cause(kind: str) -> None:
    with pytest.raises(ModelUnavailable, match=f"model 'mine' can't be explained: .*{CAUSES[kind]}"):
        Classifier(network(kind), name="mine", preprocessing=PREPROCESSING)


@pytest.mark.parametrize("kind", ["numpy", "rounded"])
def test_unchecked_it_can_be_asked_by_methods_that_need_no_gradient(kind: str) -> None:
    model = Classifier(network(kind), preprocessing=PREPROCESSING, check=False)
    spec = CompareSpec(methods=("rise", "occlusion", "lime"), target=0, areas=(0.2,), samples=30)
    found = compare(model, torch.rand(1, 3, SIDE, SIDE), spec).report()
    assert [method.unavailable for method in found.methods] == [None] * 3


def test_a_list_names_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        '[models.mine]\nentry_point = "tests.networks:network"\nkwargs = { kind = "rounded" }\n'
        'labels = ["a", "b", "c"]\n'
        f"preprocessing = {{ input_size = [{SIDE}, {SIDE}], mean = [0, 0, 0], std = [1, 1, 1] }}\n"
    )
    with pytest.raises(ModelUnavailable, match="'mine' can't be explained: its gradient is zero"):
        load_model("mine", device="cpu", models_file=path)


def test_checking_leaves_the_network_and_random_numbers_alone() -> None:
    checked = Spoiled(lambda inner, images: inner(images) + 1e-4 * torch.rand(len(images), 1))
    checked.train()
    before = {name: value.clone() for name, value in checked.state_dict().items()}
    numbers = torch.get_rng_state()
    Classifier(checked, preprocessing=PREPROCESSING)
    assert torch.equal(torch.get_rng_state(), numbers)
    assert all(module.training for module in checked.modules())
    assert all(one.requires_grad and one.grad is None for one in checked.parameters())
    assert all(torch.equal(value, before[name]) for name, value in checked.state_dict().items())


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_mode_of_the_caller_does_not_matter(mode: type) -> None:
    inner = plain()
    with mode():
        Classifier(inner, preprocessing=PREPROCESSING)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda inner, images: inner(images).log_softmax(dim=1),
        lambda inner, images: inner(images).softmax(dim=1),  # the sum of its scores has no gradient
        lambda inner, images: inner(images)[:, :1],
        lambda inner, images: inner(images).masked_fill(torch.tensor([False, True, False]), -torch.inf),
        lambda inner, images: inner(images) + 1e4,
    ],
    ids=["logarithms", "probabilities", "one class", "a class ruled out", "an offset"],
)
def test_unusual_scores_are_fine(spoil) -> None:
    Classifier(Spoiled(spoil), preprocessing=PREPROCESSING)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "alexnet",
        "densenet121",
        "mobilenet_v3_small",
        "regnet_y_400mf",
        "resnet18",
        "shufflenet_v2_x0_5",
        "squeezenet1_1",
    ],
)
def test_architectures_without_trained_weights_are_no_false_alarm(name: str) -> None:
    torch.manual_seed(0)
    Classifier(torchvision.models.get_model(name, weights=None))


def test_a_dead_network_is_told_from_one_that_is_dark_in_places() -> None:
    """A class that only sees one corner has no gradient elsewhere."""

    class Corner(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images[:, :, 0, 0]

    Classifier(Corner(), preprocessing=PREPROCESSING)
