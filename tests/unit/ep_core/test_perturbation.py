"""The perturbation operator (3.4) against its formula."""

from __future__ import annotations

import math

import pytest
import torch
from torch.autograd import gradcheck

from ep_core.masks.perturbation import Pyramids, blur_pyramid, fade_pyramid, gaussian_blur


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(1, 3, 9, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def blur_by_the_formula(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """sum_v g(u - v) x(v) / sum_v g(u - v), pixel by pixel."""
    _, _, height, width = image.shape
    blurred = torch.empty_like(image)
    for y in range(height):
        for x in range(width):
            total, mass = torch.zeros(3, dtype=image.dtype), 0.0
            for v in range(height):
                for w in range(width):
                    weight = math.exp(-((y - v) ** 2 + (x - w) ** 2) / (2 * sigma**2))
                    total += weight * image[0, :, v, w]
                    mass += weight
            blurred[0, :, y, x] = total / mass
    return blurred


@pytest.mark.parametrize("sigma", [0.7, 3.0, 20.0])
def test_blur_is_the_papers_formula(image: torch.Tensor, sigma: float) -> None:
    torch.testing.assert_close(gaussian_blur(image, sigma), blur_by_the_formula(image, sigma))


def test_blur_does_not_darken_borders() -> None:
    white = torch.ones(1, 3, 20, 31)
    torch.testing.assert_close(gaussian_blur(white, 20.0), white)


@pytest.mark.parametrize("levels", [2, 5, 8])
def test_pyramid_goes_from_the_image_to_the_strongest_blur(image: torch.Tensor, levels: int) -> None:
    pyramid = blur_pyramid(image, sigma_max=6.0, levels=levels)
    assert pyramid.shape == (levels, 3, 9, 13)
    assert torch.equal(pyramid[:1], image)
    torch.testing.assert_close(pyramid[-1:], gaussian_blur(image, 6.0))


def test_mask_of_ones_returns_the_image_exactly_and_of_zeros_the_strongest_level(image: torch.Tensor) -> None:
    single = image.float()
    pyramid = blur_pyramid(single, sigma_max=20.0, levels=8)
    pyramids = Pyramids(pyramid[None])
    ends = torch.stack([torch.ones(1, 9, 13), torch.zeros(1, 9, 13)])
    kept, gone = pyramids.perturb(ends, torch.zeros(2, dtype=torch.long))
    assert torch.equal(kept, single[0])
    assert torch.equal(gone, pyramid[-1])


def test_masks_dose_the_blur_between_the_levels(image: torch.Tensor) -> None:
    pyramid = blur_pyramid(image, sigma_max=6.0, levels=4)
    mask = torch.rand(1, 1, 9, 13, dtype=torch.float64)
    perturbed = Pyramids(pyramid[None]).perturb(mask, torch.tensor([0]))
    for y in range(9):
        for x in range(13):
            depth = 3 * (1 - float(mask[0, 0, y, x]))
            level = min(int(depth), 2)
            expected = (1 - (depth - level)) * pyramid[level, :, y, x] + (depth - level) * pyramid[level + 1, :, y, x]
            torch.testing.assert_close(perturbed[0, :, y, x], expected)


def test_fade_scales_the_light(image: torch.Tensor) -> None:
    mean, std = torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1).double(), 0.25
    normalised, black = (image - mean) / std, -mean / std
    mask = torch.rand(1, 1, 9, 13, dtype=torch.float64)
    faded = Pyramids(fade_pyramid(normalised, black=black)[None]).perturb(mask, torch.tensor([0]))
    torch.testing.assert_close(faded, (mask * image - mean) / std)
    weaker = Pyramids(fade_pyramid(normalised, black=black, sigma_max=0.3)[None])
    gone = weaker.perturb(torch.zeros_like(mask), torch.tensor([0]))
    torch.testing.assert_close(gone, (0.7 * image - mean) / std)


def test_each_mask_meets_its_own_image(image: torch.Tensor) -> None:
    other = 1 - image
    pyramids = Pyramids(torch.stack([blur_pyramid(x, sigma_max=6.0, levels=4) for x in (image, other)]))
    ones = torch.ones(3, 1, 9, 13, dtype=torch.float64)
    torch.testing.assert_close(pyramids.perturb(ones, torch.tensor([1, 0, 1])), torch.cat([other, image, other]))


def test_gradient_of_a_fade_is_the_light_taken_away_also_where_the_mask_is_0_or_1(image: torch.Tensor) -> None:
    black = torch.full((3, 1, 1), -2.0, dtype=torch.float64)
    masks = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64).view(3, 1, 1, 1).expand(3, 1, 9, 13).requires_grad_()
    pyramids = Pyramids(fade_pyramid(image, black=black)[None])
    (gradient,) = torch.autograd.grad(pyramids.perturb(masks, torch.zeros(3, dtype=torch.long)).sum(), masks)
    torch.testing.assert_close(gradient, (image - black).sum(dim=1, keepdim=True).expand(3, 1, 9, 13))


def test_gradient_with_respect_to_the_masks(image: torch.Tensor) -> None:
    pyramids = Pyramids(blur_pyramid(image, sigma_max=6.0, levels=4)[None])
    # Away from the levels themselves, where the interpolation has a kink.
    masks = (
        (torch.rand(2, 1, 9, 13, dtype=torch.float64) * 0.8 + 0.1 + torch.randint(3, (2, 1, 9, 13))) / 3
    ).requires_grad_()
    assert gradcheck(lambda m: pyramids.perturb(m, torch.tensor([0, 0])), (masks,))
