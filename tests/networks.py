"""Small networks of 32 x 32 pixels and three classes, some with what explanations can't use; for model lists, too."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

SIDE = 32


def plain(channels: int = 3, **norm: bool) -> nn.Sequential:
    """Return a network that can be explained, the same each time; `norm` goes to its batch norm."""
    chance = torch.Generator().manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(channels, 8, 3, padding=1),
        nn.BatchNorm2d(8, **norm),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(torch.randn(weights.shape, generator=chance) / 2)
    return network.eval()


class Spoiled(nn.Module):
    """The plain network, its output changed by a function of the network and the images."""

    def __init__(self, compute: Callable[[nn.Module, Tensor], Tensor], network: nn.Module | None = None) -> None:
        super().__init__()
        self.network = network or plain()
        self._compute = compute

    def forward(self, images: Tensor) -> Tensor:
        return self._compute(self.network, images)


def _by_numpy(network: nn.Module, images: Tensor) -> Tensor:
    return network(torch.from_numpy(images.numpy() * 2))


def _beside_torch(network: nn.Module, images: Tensor) -> Tensor:
    return torch.from_numpy(network(images).detach().numpy() * 2)


def _rounded(network: nn.Module, images: Tensor) -> Tensor:
    front, back = network[:3], network[3:]
    return back((front(images) * 8).round() / 8)


def _over_the_batch(network: nn.Module, images: Tensor) -> Tensor:
    return network((images - images.min()) / (images.max() - images.min()))


def _int8() -> nn.Module:
    wrapped = torch.ao.quantization.QuantWrapper(plain())
    wrapped.qconfig = torch.ao.quantization.get_default_qconfig(torch.backends.quantized.engine)
    torch.ao.quantization.prepare(wrapped, inplace=True)
    wrapped(torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)))
    return torch.ao.quantization.convert(wrapped)


USELESS: dict[str, Callable[[], nn.Module]] = {
    "rounded": lambda: Spoiled(_rounded),
    "saturated": lambda: Spoiled(lambda network, images: (network(images) * 1e6).softmax(dim=1)),
    "int8": _int8,
    "integers": lambda: Spoiled(lambda network, images: (network(images) * 100).int()),
    "numpy": lambda: Spoiled(_by_numpy),
    "beside_torch": lambda: Spoiled(_beside_torch),
    "no_grad": lambda: Spoiled(torch.no_grad()(lambda network, images: network(images))),
    "inference": lambda: Spoiled(torch.inference_mode()(lambda network, images: network(images))),
    "nan": lambda: Spoiled(lambda network, images: network(images) * float("nan")),
    "infinite": lambda: Spoiled(lambda network, images: network(images) + float("inf")),
    "overflow": lambda: Spoiled(lambda network, images: (network(images) * 1e6).half()),
    "steep": lambda: Spoiled(lambda network, images: network(images) + (images * 0).sum((1, 2, 3))[:, None].sqrt()),
    "constant": lambda: Spoiled(lambda network, images: network(images) * 0 + 1),
    "fixed": lambda: Spoiled(lambda network, images: torch.ones(len(images), 3)),
    "batch_norm": lambda: plain(track_running_stats=False),
    "over_the_batch": lambda: Spoiled(_over_the_batch),
    "dropout": lambda: Spoiled(lambda network, images: network[7](torch.dropout(network[:7](images), 0.5, train=True))),
    "squeezed": lambda: Spoiled(lambda network, images: network(images).squeeze()),
    "backward": lambda: Spoiled(lambda network, images: network(OneWay.apply(images))),
}
"""Networks by whose gradient no mask can be found."""


class OneWay(torch.autograd.Function):
    """A copy without a backward pass."""

    @staticmethod
    def forward(ctx: object, images: Tensor) -> Tensor:
        return images.clone()


def _in_place(network: nn.Module, images: Tensor) -> Tensor:
    return network(images.clamp_(-3, 3).mul_(0.5))


ADAPTED: dict[str, Callable[[], nn.Module]] = {
    "half": lambda: plain().half(),
    "bfloat16": lambda: plain().bfloat16(),
    "double": lambda: plain().double(),
    "half_scores": lambda: Spoiled(lambda network, images: network(images).half()),
    "half_inside": lambda: Spoiled(lambda network, images: network(images.half()), plain().half()),
    "in_place": lambda: Spoiled(_in_place),
    "clamped_in_place": lambda: Spoiled(lambda network, images: network(images.clamp_(-9, 9))),
}
"""Networks that need float32 images and scores made for them, or a copy of the images."""


def _compiled_in_place() -> nn.Module:
    network = plain()
    network.compile(backend="eager")
    return network


COMPILED: dict[str, Callable[[], nn.Module]] = {
    "compiled": lambda: torch.compile(plain()),
    "compiled_inside": lambda: nn.Sequential(torch.compile(plain(), backend="eager"), nn.Identity()),
    "compiled_in_place": _compiled_in_place,
}
"""Networks by `torch.compile`; those that call what it made do so without its code generator."""


def _slow(network: nn.Module, images: Tensor) -> Tensor:
    float(images.flatten()[0])  # what reads a value is no CUDA graph, which would sleep once only
    time.sleep(0.02)
    return network(images)


def network(kind: str) -> nn.Module:
    """Return one of the networks by its name; others are the plain one, in other forms, and a slow one."""
    others = {
        "plain": plain,
        "grey": lambda: plain(1),
        "script": lambda: torch.jit.script(plain()),
        "embedding": lambda: plain()[:-1],
        "slow": lambda: Spoiled(_slow),
    }
    return (others | USELESS | ADAPTED | COMPILED)[kind]()


def model_list(*kinds: str) -> str:
    """Return the entries of a model list for kinds of `network`, each under its own name."""
    return "".join(_ENTRY.format(kind=kind, outputs=_OUTPUTS.get(kind, _CLASSES)) for kind in kinds)


_CLASSES = 'labels = ["a", "b", "c"]'
_OUTPUTS = {"embedding": 'outputs = "embedding"'}

_ENTRY = """
[models.{kind}]
entry_point = "tests.networks:network"
kwargs = {{ kind = "{kind}" }}
{outputs}
preprocessing = {{ input_size = [32, 32], mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }}
"""
