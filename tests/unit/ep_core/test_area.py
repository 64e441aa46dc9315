"""The ranked area loss (3.3) against its definition by sorting."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from ep_core.masks.area import area_pixels, ranked_area_loss


def loss_by_sorting(mask: torch.Tensor, ones: int) -> torch.Tensor:
    """mean((vecsort(m) - r_a)^2), differentiable through the sort."""
    ranked = mask.flatten().sort().values
    reference = torch.zeros_like(ranked)
    reference[len(ranked) - ones :] = 1
    return (ranked - reference).square().mean()


@given(st.integers(1, 7 * 11), st.integers(0, 2**31))
def test_loss_and_gradient_equal_the_sorted_definition(ones: int, seed: int) -> None:
    mask = torch.rand(1, 1, 7, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()
    by_partition, by_sorting = ranked_area_loss(mask, [ones])[0], loss_by_sorting(mask, ones)
    torch.testing.assert_close(by_partition, by_sorting)
    gradients = [torch.autograd.grad(loss, mask)[0] for loss in (by_partition, by_sorting)]
    torch.testing.assert_close(*gradients)


def test_hand_computed_value() -> None:
    mask = torch.tensor([[0.2, 0.9, 0.0, 0.6]])
    # sorted .0 .2 .6 .9 against 0 0 1 1: (0 + .04 + .16 + .01) / 4
    torch.testing.assert_close(ranked_area_loss(mask, [2]), torch.tensor([0.0525]))


def test_each_mask_has_its_own_area() -> None:
    masks = torch.rand(3, 1, 8, 8, dtype=torch.float64)
    expected = torch.stack([loss_by_sorting(m, n) for m, n in zip(masks, (1, 20, 64), strict=True)])
    torch.testing.assert_close(ranked_area_loss(masks, [1, 20, 64]), expected)


def test_a_binary_mask_of_the_right_area_costs_nothing() -> None:
    mask = torch.zeros(1, 1, 10, 10)
    mask[..., :3, :] = 1
    assert ranked_area_loss(mask, [30]).item() == pytest.approx(0, abs=1e-7)


def test_ties_still_give_the_number_of_ones_asked_for() -> None:
    mask = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(ranked_area_loss(mask, [5]).sum(), mask)
    assert (gradient < 0).sum() == 5


def test_gradcheck() -> None:
    masks = torch.rand(2, 1, 4, 5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda m: ranked_area_loss(m, [3, 12]), (masks,))


@pytest.mark.parametrize(("area", "pixels", "ones"), [(0.1, 50, 5), (1e-9, 50, 1), (0.999, 10, 10), (0.25, 10, 2)])
def test_area_in_pixels(area: float, pixels: int, ones: int) -> None:
    assert area_pixels(area, pixels) == ones
