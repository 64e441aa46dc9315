"""A network without a head is no classifier with classes "0" to "511"; one with a head is never taken for that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models import Classifier, Preprocessing, list_models
from ep_core.models.checks.head import require_head

# One of each family that ends in another way: a pooled ReLU, SiLU, batch norm, layer norm of maps, of tokens, a
# rectified linear layer, pooled maps of classes.
TORCHVISION = [
    "alexnet",
    "convnext_tiny",
    "efficientnet_b0",
    "googlenet",
    "mobilenet_v3_small",
    "resnet18",
    "shufflenet_v2_x0_5",
    "vit_b_32",
]
TIMM = [
    "deit_tiny_distilled_patch16_224",
    "convnextv2_atto",
    "mobilenetv4_conv_small",
    "regnetx_002",
    "seresnet18",
    "vit_tiny_patch16_224",
]
MAKERS: dict[str, Callable[..., nn.Module]] = {
    **{name: lambda name=name, **kw: torchvision.models.get_model(name, weights=None, **kw) for name in TORCHVISION},
    **{f"timm:{name}": lambda name=name, **kw: timm.create_model(name, **kw) for name in TIMM},
}


def refuse_features(network: nn.Module) -> None:
    """Check a network as `Classifier` does, without any weights to compute with."""
    require_head(network.eval().requires_grad_(False), torch.zeros(2, 3, 224, 224, device="meta"), model="mine")


def classifier(network: nn.Module, size: int = 224, **options) -> Classifier:
    return Classifier(network, name="mine", preprocessing=Preprocessing((size, size)), **options)


def on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    """A network that costs next to nothing: it computes shapes alone."""
    with torch.device("meta"):
        return make()


def without_head(network: nn.Module) -> nn.Module:
    *_, (name, _) = ((name, part) for name, part in network.named_modules() if isinstance(part, nn.Linear))
    parent, _, leaf = name.rpartition(".")
    setattr(network.get_submodule(parent), leaf, nn.Identity())
    return network


@pytest.mark.parametrize("name", MAKERS)
def test_networks_of_the_libraries_are_told_apart(name: str) -> None:
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    whole = on_meta(lambda: MAKERS[name](num_classes=7, **options))
    refuse_features(whole)
    if name.startswith("timm:"):
        bare = on_meta(lambda: MAKERS[name](num_classes=0))
    else:
        bare = on_meta(lambda: without_head(MAKERS[name](**options)))
    with pytest.raises(InvalidInput, match=r"outputs of model 'mine' look like features.*labels") as error:
        refuse_features(bare)
    assert error.value.field == "model"


def test_a_backbone_has_the_labels_that_it_is_given() -> None:
    bare = without_head(torchvision.models.resnet18())
    with pytest.raises(InvalidInput, match="the 512 outputs"):
        classifier(bare)
    assert classifier(bare, labels=[f"unit {k}" for k in range(512)]).num_classes == 512


class Calls(nn.Module):
    """Scores by a function of the layers."""

    def __init__(self, call: Callable[[Calls, Tensor], Tensor]) -> None:
        super().__init__()
        self.call = call
        self.conv = nn.Conv2d(3, 8, 3)
        self.point = nn.Conv2d(8, 5, 1)
        self.linear, self.other = nn.Linear(8, 5), nn.Linear(8, 5)
        self.norm = nn.BatchNorm1d(5)
        self.weights = nn.Parameter(torch.rand(8, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self, x)

    def pooled(self, x: Tensor) -> Tensor:
        return self.conv(x).relu().mean((2, 3))


ORDINARY: dict[str, Callable[[Calls, Tensor], Tensor]] = {
    "product": lambda net, x: net.pooled(x) @ net.weights,
    "einsum": lambda net, x: torch.einsum("nk,kc->nc", net.pooled(x), net.weights),
    "softmax": lambda net, x: net.linear(net.pooled(x)).softmax(1),
    "batch norm of scores": lambda net, x: net.norm(net.linear(net.pooled(x))).log_softmax(1),
    "temperature": lambda net, x: 3 * net.linear(net.pooled(x)) / 7 + net.weights[0],
    "mean of two heads": lambda net, x: torch.stack([net.linear(net.pooled(x)), net.other(net.pooled(x))]).mean(0),
    "cosine": lambda net, x: nn.functional.normalize(net.pooled(x)) @ nn.functional.normalize(net.weights, dim=0),
    "pooled maps of classes": lambda net, x: net.point(net.conv(x).relu()).mean((2, 3)),
    "pooled rectified maps": lambda net, x: nn.functional.adaptive_avg_pool2d(net.point(net.conv(x)).relu(), 1)[
        ..., 0, 0
    ],
    "in place": lambda net, x: net.linear(net.pooled(x.sub_(0.5))),
    "no gradient": lambda net, x: net.linear(net.pooled(x)).detach(),
    "no layer": lambda net, x: x.mean((2, 3)),
}


@pytest.mark.parametrize("call", ORDINARY.values(), ids=ORDINARY)
def test_a_head_of_any_make_is_one(call: Callable[[Calls, Tensor], Tensor]) -> None:
    assert classifier(Calls(call), 32, check=False).labels[0] == "0"


def test_a_network_without_outputs_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"N x C scores; for N = 2 it gives \(2, 0\)"):
        classifier(torchvision.models.resnet18(num_classes=0))


def test_a_size_that_nobody_gave_is_said_where_the_network_takes_another() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5))
    with pytest.raises(InvalidInput, match=r"2 x 3 x 224 x 224 \(ImageNet's, as there is no preprocessing\)"):
        Classifier(network)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('timm = "resnet18"\nkwargs = { num_classes = 0 }', r"kwargs\.num_classes: 0 leaves no classes"),
        ('torchvision = "resnet18"\nfile = "w.pth"\nkwargs = { num_classes = 0 }', r"kwargs\.num_classes: 0 leaves no"),
        ('torchvision = "resnet18"\nfile = "w.pth"\nkwargs = { num_classes = "3" }', r"kwargs\.num_classes: '3'"),
        ('timm = "vit_small_patch14_dinov2"', "end in features, not in scores"),
        ('timm = "vit_base_patch16_clip_224.openai"', "end in 512 outputs that timm names no classes for"),
        (
            'timm = "resnet18"\nkwargs = { num_classes = 3 }',
            "no head of 3 classes, so that one would have random",
        ),
    ],
)
def test_a_list_cannot_name_what_has_no_trained_head(write_list, entry: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        list_models(write_list(entry))


def test_a_list_can_say_that_outputs_are_classes(write_list) -> None:
    labels = [f"unit {k}" for k in range(512)]
    (card,) = list_models(write_list(f'timm = "resnet18"\nkwargs = {{ num_classes = 0 }}\nlabels = {labels}'))
    assert card.labels == tuple(labels)
