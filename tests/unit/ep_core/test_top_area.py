"""Any map's top area, as a smooth mask of exactly that area."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ep_core.extremal.top_area import top_area_masks
from ep_core.masks.perturbation import gaussian_blur

SIZE = (96, 112)
AREAS = (0.03, 0.1, 0.4, 0.9)


@pytest.fixture(scope="module")
def maps() -> Tensor:
    """Smooth noise, noise, a constant and a map of two values."""
    noise = torch.randn(2, *SIZE, generator=torch.Generator().manual_seed(0))
    halves = torch.zeros(SIZE)
    halves[:, 56:] = 1
    return torch.stack([gaussian_blur(noise[:1, None], 8)[0, 0], noise[1], torch.full(SIZE, 0.5), halves])


def test_masks_have_the_areas_asked_for(maps: Tensor) -> None:
    masks = top_area_masks(maps, AREAS)
    assert masks.shape == (4, 4, 1, *SIZE)
    assert masks.min() >= 0
    assert masks.max() <= 1
    torch.testing.assert_close(masks.mean(dim=(2, 3, 4)), torch.tensor(AREAS).expand(4, -1), atol=2e-4, rtol=0)


def test_masks_of_a_smooth_map_are_nearly_binary(maps: Tensor) -> None:
    masks = top_area_masks(maps[:1], AREAS)
    assert (masks * (1 - masks)).mean(dim=(2, 3, 4)).max() < 0.05


def test_a_mask_lies_where_the_map_is_high(maps: Tensor) -> None:
    mask = top_area_masks(maps[3:], [0.4])[0, 0, 0]
    assert mask[:, 70:].mean() > 0.95  # of a plateau, its middle first
    assert mask[:, :48].max() < 0.01


def test_larger_areas_hold_the_smaller_ones(maps: Tensor) -> None:
    masks = top_area_masks(maps[:1], AREAS)[0]
    for smaller, larger in pairwise(masks):
        assert (smaller - larger).clamp_min(0).mean() < 0.01 * smaller.mean()


def test_only_the_order_of_a_map_s_values_counts(maps: Tensor) -> None:
    scaled = top_area_masks(100 * maps[:1] - 7, [0.2])
    torch.testing.assert_close(scaled, top_area_masks(maps[:1], [0.2]), atol=1e-3, rtol=0)


def test_a_map_s_mask_does_not_hang_on_its_company(maps: Tensor) -> None:
    alone = top_area_masks(maps[:1], [0.1])[0]
    torch.testing.assert_close(top_area_masks(maps, [0.1])[0], alone, atol=4e-3, rtol=0)
