"""Smooth masks (3.5, A.1) against a direct evaluation of their formulas, and Lemma 1."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from ep_core.masks.smooth import MaskLattice, sharpened
from ep_core.masks.smooth_maximum import KERNEL_LIPSCHITZ, RADIUS, Neighbours, kernel_profile, smooth_maximum


def by_the_formula(parameters: torch.Tensor, samples: int, *, sharpness: float | None) -> torch.Tensor:
    """Eq. 6 (sharpness None) or eq. 7, point by point, neighbour by neighbour, for h x w parameters."""
    height, width = parameters.shape
    values = torch.zeros(height * samples, width * samples, dtype=torch.float64)
    for y in range(height * samples):
        for x in range(width * samples):
            at = ((y + 0.5) / samples - 0.5, (x + 0.5) / samples - 0.5)
            products = []
            for i in range(height):
                for j in range(width):
                    z = math.hypot(at[0] - i, at[1] - j)
                    if z <= RADIUS:
                        products.append(math.exp(-(max(0.0, z - 1) ** 2) / 4) * float(parameters[i, j]))
            if sharpness is None:
                values[y, x] = max(products)
            else:
                weights = [math.exp(sharpness * f) for f in products]
                values[y, x] = sum(f * w for f, w in zip(products, weights, strict=True)) / sum(weights)
    return values


def parameters(height: int, width: int, seed: int, *, count: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 1, height, width, dtype=torch.float64, generator=generator) ** 4


def lattice(height: int, width: int, samples: int) -> MaskLattice:
    """A lattice whose evaluation points are the pixels."""
    return MaskLattice((height * samples, width * samples), step=samples, dtype=torch.float64)


def test_kernel_is_flat_then_decays_as_the_paper_meant() -> None:
    z = torch.tensor([0.0, 0.5, 1.0, 3.0, 5.0], dtype=torch.float64)
    torch.testing.assert_close(kernel_profile(z), torch.tensor([1, 1, 1, math.exp(-1), math.exp(-4)]).double())


def test_kernel_lipschitz_constant() -> None:
    z = torch.linspace(0, 8, 8001, dtype=torch.float64)
    slope = (kernel_profile(z).diff() / z.diff()).abs().max()
    assert slope == pytest.approx(KERNEL_LIPSCHITZ, rel=1e-5)


@pytest.mark.parametrize(("height", "width"), [(9, 9), (4, 15), (17, 3)])
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_smooth_maximum_equals_the_formula(height: int, width: int, samples: int) -> None:
    p = parameters(height, width, seed=samples)
    expected = by_the_formula(p[0, 0], samples, sharpness=20.0)
    torch.testing.assert_close(lattice(height, width, samples).smooth(p)[0, 0], expected)


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_sums_of_shifted_lattices_are_those_of_streamed_neighbours(samples: int) -> None:
    """A GPU streams them; so the values and gradients of both are the same here."""
    neighbours = Neighbours((6, 9), samples, 20.0, device="cpu", dtype=torch.float64)
    grad = parameters(6 * samples, 9 * samples, seed=2, count=2)
    p = parameters(6, 9, seed=1, count=2).requires_grad_()
    shifted, streamed = (smooth_maximum(p, neighbours, streamed=streamed) for streamed in (False, True))
    torch.testing.assert_close(shifted, streamed)
    gradients = [torch.autograd.grad(values, p, grad) for values in (shifted, streamed)]
    torch.testing.assert_close(*gradients)


def test_maximum_equals_the_formula() -> None:
    p = parameters(8, 14, seed=0)
    torch.testing.assert_close(lattice(8, 14, 2).maximum(p)[0, 0], by_the_formula(p[0, 0], 2, sharpness=None))


@settings(max_examples=25)
@given(st.integers(2, 20), st.integers(2, 20), st.integers(1, 7), st.integers(0, 2**31))
def test_lemma_1(height: int, width: int, samples: int, seed: int) -> None:
    """m_bar <= m <= 1, and m changes no faster than the kernel."""
    p = parameters(height, width, seed)
    m = lattice(height, width, samples).maximum(p)[0, 0]
    assert m.max() <= 1
    own_cell = p[0, 0].repeat_interleave(samples, 0).repeat_interleave(samples, 1)
    assert (m >= own_cell).all()  # within half a cell's diagonal of a sample the kernel is 1
    cut = float(kernel_profile(torch.tensor(RADIUS)))
    for direction in (0, 1):
        assert m.diff(dim=direction).abs().amax().item() <= KERNEL_LIPSCHITZ / samples + cut


@settings(max_examples=25)
@given(st.integers(2, 20), st.integers(2, 20), st.integers(0, 2**31))
def test_smooth_maximum_lies_between_zero_and_the_maximum(height: int, width: int, seed: int) -> None:
    p = parameters(height, width, seed)
    on = lattice(height, width, 2)
    smooth, maximum = on.smooth(p), on.maximum(p)
    assert smooth.min() >= 0
    assert (smooth <= maximum + 1e-12).all()


def test_smooth_maximum_becomes_the_maximum_as_it_sharpens() -> None:
    p = parameters(10, 10, seed=3)
    sharp = MaskLattice((20, 20), step=2, sharpness=2000.0, dtype=torch.float64)
    torch.testing.assert_close(sharp.smooth(p / 4), sharp.maximum(p / 4), atol=2e-3, rtol=0)


def test_all_ones_are_kept_almost_whole_and_all_zeros_exactly_gone() -> None:
    on = MaskLattice((224, 224))
    assert on.smooth(torch.ones(1, 1, 32, 32)).min() > 0.97
    assert on.smooth(torch.zeros(1, 1, 32, 32)).abs().max() == 0


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_gradcheck(samples: int) -> None:
    p = (parameters(6, 9, seed=1, count=2) * 0.9 + 0.05).requires_grad_()
    assert gradcheck(lattice(6, 9, samples).smooth, (p,), fast_mode=True)


@pytest.mark.parametrize("size", [(224, 224), (299, 299), (97, 240), (1, 30)])
@pytest.mark.parametrize("samples", [None, 2])
def test_masks_have_the_images_size(size: tuple[int, int], samples: int | None) -> None:
    on = MaskLattice(size, samples=samples)
    m = on.smooth(torch.rand(2, 1, *on.shape))
    assert m.shape == (2, 1, *size)
    assert m.min() >= 0
    assert m.max() <= 1


def test_a_mask_does_not_depend_on_its_company() -> None:
    on = MaskLattice((56, 70))
    p = torch.rand(5, 1, *on.shape)
    assert torch.equal(on.smooth(p)[3:4], on.smooth(p[3:4]))


def test_backward_holds_nothing_the_size_of_all_neighbours() -> None:
    """The graph keeps a few tensors of the masks' size, not one per neighbour."""
    on = MaskLattice((224, 224))
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (kept.append(t.numel()), t)[1], lambda t: t):
        on.smooth(torch.rand(6, 1, 32, 32, requires_grad=True))
    assert sum(kept) <= 3 * 6 * 224 * 224


@pytest.mark.parametrize(("few", "most", "mean"), [(1, 0.3, 0.02), (2, 0.15, 0.01)])
def test_few_samples_are_close_to_all_pixels(few: int, most: float, mean: float) -> None:
    """Error of the fast preset's coarse evaluation: binary parameters are the worst case."""
    parameters = (torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)) > 0.8).float()
    parameters = torch.cat([parameters, blocks()])
    coarse, exact = (MaskLattice((224, 224), samples=samples).smooth(parameters) for samples in (few, 7))
    assert (coarse - exact).abs().max() < most
    assert (coarse - exact).abs().mean() < mean


def blocks() -> torch.Tensor:
    parameters = torch.zeros(1, 1, 32, 32)
    parameters[:, :, 5:14, 8:20] = 1
    return parameters


def test_sharpening_is_its_formula_and_keeps_the_ends() -> None:
    values = torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0]).view(1, 1, 1, 5)
    assert torch.equal(sharpened(values, torch.ones(1, 1, 1, 1)), values)
    by_hand = [0.0, 0.04 / 0.68, 0.5, 0.81 / 0.82, 1.0]
    torch.testing.assert_close(sharpened(values, torch.full((1, 1, 1, 1), 2.0)).flatten(), torch.tensor(by_hand))


@pytest.mark.parametrize("contrast", [1.0, 2.0, 5.0])
def test_sharpening_multiplies_slopes_by_the_contrast_at_most(contrast: float) -> None:
    values = torch.linspace(0, 1, 1001, dtype=torch.float64).view(1, 1, 1, -1)
    sharp = sharpened(values, torch.full((1, 1, 1, 1), contrast, dtype=torch.float64)).flatten()
    assert sharp.diff().min() >= 0
    assert sharp.diff().max() * 1000 <= contrast * (1 + 1e-6)


def test_gradcheck_of_sharpened_masks() -> None:
    lattice = MaskLattice((21, 28), step=7, samples=1, dtype=torch.float64)
    parameters = (0.9 * torch.rand(2, 1, 3, 4, dtype=torch.float64) + 0.05).requires_grad_()
    contrast = torch.tensor([1.5, 3.0], dtype=torch.float64).view(2, 1, 1, 1)
    assert gradcheck(lambda p: lattice.smooth(p, contrast), (parameters,))
