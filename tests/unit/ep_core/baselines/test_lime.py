"""LIME: the fit of its linear model, and random numbers from the seed alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import LimeBase
from torch import Tensor, nn

from ep_core.methods.base.registry import get_method
from ep_core.methods.lime import fit_surrogate

from .conftest import Shown

Attribute = Callable[..., Tensor]


def test_a_superpixels_weight_is_what_it_adds_to_a_linear_networks_score(
    attribute: Attribute, linear: nn.Module, image: Tensor
):
    found = attribute("lime", linear, image, 2, 1, samples=400)
    weights = linear[1].weight.detach()[[2, 1]].view(2, *image.shape[1:])
    for values, added in zip(found, (weights * image).sum(dim=1), strict=True):
        levels = values.unique()
        assert 20 < len(levels) < 100  # superpixels
        sums = torch.stack([added[values == level].sum() for level in levels])
        assert float((levels - sums).abs().max()) < 0.06 * float(sums.abs().max())
        assert float(torch.corrcoef(torch.stack([levels, sums]))[0, 1]) > 0.999


def test_the_surrogate_is_captums_on_the_same_samples():
    generator = torch.Generator().manual_seed(0)
    kept = torch.rand(60, 7, generator=generator) < 0.5
    scores = torch.randn(60, 2, generator=generator)

    def each(_image: Tensor, **_rest: object) -> Iterator[Tensor]:
        yield from kept.float()[:, None]

    def similarity(_image: Tensor, _perturbed: Tensor, sample: Tensor, **_rest: object) -> float:
        distance = 1 - float(torch.cosine_similarity(sample, torch.ones_like(sample)))
        return math.exp(-(distance**2) / (2 * 0.25**2))

    found = fit_surrogate(kept, scores)
    for target in range(2):
        lime = LimeBase(
            lambda _samples, target=target: scores[:, target],
            SkLearnRidge(alpha=1.0),
            similarity,
            each,
            perturb_interpretable_space=True,
            from_interp_rep_transform=lambda sample, _image, **_rest: sample,
            to_interp_rep_transform=None,
        )
        expected = lime.attribute(torch.zeros(1, 1), n_samples=60, perturbations_per_eval=60)
        torch.testing.assert_close(found[target], expected.flatten(), rtol=1e-4, atol=1e-5)


def test_the_seed_decides_the_map(attribute: Attribute, convolutional: nn.Module, image: Tensor):
    first, again, other = (attribute("lime", convolutional, image, 1, samples=90, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_a_targets_map_hangs_on_no_other_target(attribute: Attribute, convolutional: nn.Module, image: Tensor):
    together = attribute("lime", convolutional, image, 2, 1, samples=90)
    torch.testing.assert_close(together[1:], attribute("lime", convolutional, image, 1, samples=90))


@pytest.mark.parametrize("targets", [(0,), (2, 0, 1)])
def test_each_image_is_scored_once_and_left_out_superpixels_are_grey(
    targets: tuple[int, ...], asked: Callable[..., object], image: Tensor
):
    request = asked(network := Shown(), image, *targets, samples=30)
    network.images.clear()
    get_method("lime").attribute(request)
    whole, *others = network.images
    assert len(others) == 29
    assert torch.equal(whole, image[0])
    for other in others:
        assert torch.equal(other[other != 0], image[0][other != 0])
        assert 0.2 < float((other == 0).float().mean()) < 0.8
