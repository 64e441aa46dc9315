"""Packed convolutions: the numbers of plain ones, forwards and backwards, for any batch."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core.models import Classifier
from ep_core.models.tuning.convolutions import PackedConvolution, can_pack, pack_convolutions
from ep_core.models.tuning.tune import tune

pytestmark = pytest.mark.skipif(not can_pack(torch.zeros(1)), reason="this torch has no oneDNN")


def gradient(network: nn.Module, x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    with torch.enable_grad():
        y = network(x)
    return y.detach(), torch.autograd.grad((y * weights).sum(), x)[0]


@pytest.mark.parametrize("activation", [nn.Identity(), nn.ReLU6(), nn.ReLU(), nn.Hardtanh(-0.5, 0.25)], ids=repr)
@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(8, 12, 1),
        nn.Conv2d(8, 12, 1, bias=False),
        nn.Conv2d(8, 12, 1, stride=2),
        nn.Conv2d(8, 12, 1, padding=1),
        nn.Conv2d(8, 12, 1, groups=2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8),
        nn.Conv2d(8, 6, (3, 5), padding=(1, 4), dilation=(1, 2)),
    ],
    ids=repr,
)
def test_scores_and_gradients_are_those_of_the_plain_modules(convolution: nn.Conv2d, activation: nn.Module) -> None:
    """Against the same modules in double precision, on batches of other sizes than the weights were packed for.

    The numbers are drawn by a seed: one of them just where an activation switches would have another gradient.
    """
    torch.manual_seed(0)
    convolution = deepcopy(convolution)
    convolution.reset_parameters()
    plain = nn.Sequential(convolution, activation, nn.Conv2d(convolution.out_channels, 4, 1)).requires_grad_(False)
    exact = deepcopy(plain).double()
    packed = torch.fx.symbolic_trace(plain)
    pack_convolutions(packed)
    assert sum(isinstance(module, PackedConvolution) for module in packed.modules()) == 2
    for count, side in ((2, 9), (1, 9), (17, 14)):
        x = torch.randn(count, 8, side, side, dtype=torch.float64)
        weights = torch.randn_like(exact(x))
        expected, expected_slope = gradient(exact, x, weights)
        for layout in (torch.contiguous_format, torch.channels_last):
            found, slope = gradient(packed, x.float().contiguous(memory_format=layout), weights.float())
            torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(slope.double(), expected_slope, atol=1e-5, rtol=1e-5)


class Shared(nn.Module):
    """Results that several modules take: neither they nor their gradients are one module's own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.left, self.right = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1)
        self.twice, self.clip = nn.Conv2d(4, 4, 1), nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        x = self.clip(self.first(x))
        left, right = self.clip(self.left(x)), self.clip(self.right(x))
        x = left + right + x
        return self.twice(self.clip(self.twice(x))) + x


def test_residuals_branches_and_modules_used_twice() -> None:
    plain = Shared().requires_grad_(False)
    packed = torch.fx.symbolic_trace(Shared().requires_grad_(False))
    packed.load_state_dict(plain.state_dict())
    pack_convolutions(packed)
    x = torch.randn(3, 4, 7, 7)
    weights = torch.randn(3, 4, 7, 7)
    for found, expected in zip(gradient(packed, x, weights), gradient(plain, x, weights), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    kinds = {name: type(module) for name, module in packed.named_modules()}
    assert kinds["right"] is PackedConvolution
    assert kinds["twice"] is nn.Conv2d


@pytest.mark.parametrize("size", [112, 160])
def test_a_row_is_the_same_to_the_bit_in_batches_below_and_above_sixteen(
    size: int, mobilenet: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    """Torch computes 1 x 1 convolutions of sixteen images by another routine than those of fewer."""
    images = torch.cat([mobilenet.preprocess(sample(name))[0] for name in ("goose", "pizza", "airliner")])
    images = nn.functional.interpolate(images, (size, size), mode="area").repeat(6, 1, 1, 1)[:17]
    x = images.contiguous(memory_format=torch.channels_last)
    with mobilenet.frozen() as network:
        tuned = tune(network, x[:2])
        weights = nn.functional.one_hot(torch.tensor(99), 1000)
        _, slopes = gradient(tuned, x, weights)
        for rows in (slice(0, 16), slice(1, 7), slice(15, 17)):
            assert torch.equal(gradient(tuned, x[rows], weights)[1], slopes[rows])


def test_every_convolution_of_the_default_network_is_packed_and_every_relu6_fused(mobilenet: Classifier) -> None:
    with mobilenet.frozen() as network:
        tuned = tune(network, torch.randn(2, 3, 64, 64))
    packed = [module for module in tuned.modules() if isinstance(module, PackedConvolution)]
    assert len(packed) == 52
    assert sum(layer.bounds == (0, 6) for layer in packed) == 35
    assert not any(isinstance(module, nn.Conv2d) for module in tuned.modules())
