"""The tuned copy of a network: the same scores and gradients, and the network itself left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn

from ep_core.models import Classifier
from ep_core.models.tuning.tune import HalfPrecision, tune


def assert_alike(ours: Tensor, theirs: Tensor) -> None:
    """The same but for rounding; which may switch a ReLU that stands at 0, and so change single numbers of a slope."""
    assert (ours - theirs).norm() <= 1e-2 * theirs.norm()


def gradient(network: nn.Module, x: Tensor, target: int = 3) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    with torch.enable_grad():
        scores = network(x)
    return scores.detach(), torch.autograd.grad(scores[:, target].sum(), x)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5", "densenet121"]
)
def test_scores_and_gradients_stay(name: str) -> None:
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, weights=None).eval().requires_grad_(False)
    x = torch.randn(2, 3, 96, 96)
    tuned = tune(network, x)
    assert tuned is not network
    scores, slopes = gradient(tuned, x)
    expected_scores, expected_slopes = gradient(network, x)
    torch.testing.assert_close(scores, expected_scores, atol=1e-4 * float(expected_scores.abs().max()), rtol=0)
    assert_alike(slopes, expected_slopes)


def test_the_default_network_loses_nothing_on_photographs(
    mobilenet: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    x = torch.cat([mobilenet.preprocess(sample(name))[0] for name in ("goose", "pizza", "airliner")])
    with mobilenet.frozen() as network:
        tuned = tune(network, x[:2])
        assert not any(isinstance(module, nn.BatchNorm2d) for module in tuned.modules())
        scores, slopes = gradient(tuned, x)
        expected_scores, expected_slopes = gradient(network, x)
    torch.testing.assert_close(scores, expected_scores, atol=1e-3, rtol=0)
    assert_alike(slopes, expected_slopes)


def test_a_row_has_the_same_slope_to_the_bit_in_any_batch_of_two_or_more(
    mobilenet: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    x = torch.cat([mobilenet.preprocess(sample(name))[0] for name in ("goose", "pizza", "airliner", "school_bus")])
    x = x.contiguous(memory_format=torch.channels_last)
    with mobilenet.frozen() as network:
        tuned = tune(network, x[:2])
        scores, slopes = gradient(tuned, x)
        for rows in (slice(0, 2), slice(1, 4)):
            some_scores, some_slopes = gradient(tuned, x[rows])
            assert torch.equal(some_slopes, slopes[rows])
            # Some processors' matrix products round by the number of rows; no mask depends on a score's last bits.
            torch.testing.assert_close(some_scores, scores[rows], atol=2e-5, rtol=0)


def test_the_network_is_left_alone() -> None:
    network = torchvision.models.mobilenet_v2(weights=None).eval().requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kinds = [type(module) for module in network.modules()]
    tune(network, torch.randn(1, 3, 64, 64))
    assert [type(module) for module in network.modules()] == kinds
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.features[0][0].weight.is_contiguous()


class Branching(nn.Module):
    """Control flow that depends on the numbers can't be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x).mean(dim=(2, 3)) * (2 if x.sum() > 0 else 1)


class Twice(nn.Module):
    """One convolution, followed by batch norm at its first use only: folding would change its second."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.norm.running_mean.fill_(2.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(self.norm(self.convolution(x))).mean(dim=(2, 3))


@pytest.mark.parametrize("kind", [Branching, Twice])
def test_a_network_that_cant_be_tuned_is_used_as_it_is(kind: type[nn.Module]) -> None:
    network = kind().eval().requires_grad_(False)
    assert tune(network, torch.rand(1, 3, 16, 16)) is network


def test_half_precision_is_close_and_comes_out_in_single(
    mobilenet: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    """On the CPU, as there is no GPU here: the same cast, another library."""
    x, _ = mobilenet.preprocess(sample("goose"))
    with mobilenet.frozen() as network:
        scores, slopes = gradient(HalfPrecision(network), x, target=99)
        exact, exact_slopes = gradient(network, x, target=99)
    assert scores.dtype == torch.float32
    assert (scores - exact).abs().max() <= 0.03 * exact.abs().max()
    assert torch.nn.functional.cosine_similarity(slopes.flatten(), exact_slopes.flatten(), dim=0) > 0.9


def test_batches_are_filled_up_to_few_sizes() -> None:
    seen: list[int] = []

    class Watching(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(len(x))
            return x.mean(dim=(2, 3))

    network = HalfPrecision(Watching())
    for count in (*range(1, 131), 192, 193):
        x = torch.rand(count, 3, 2, 2)
        torch.testing.assert_close(network(x), x.mean(dim=(2, 3)))
    assert set(seen) == {1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256}
    assert all(count <= filled < 2 * count for count, filled in zip(range(1, 131), seen, strict=False))
