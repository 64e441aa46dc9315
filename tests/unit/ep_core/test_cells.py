"""The lattice's cells in frames of any size: as many across, two pixels each at least; frames too small for masks."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from torch.nn.functional import avg_pool2d

from ep_core import CompareSpec, ExtremalSpec, InvalidInput, compare, explain
from ep_core.masks.cells import LEAST_SIDE, SPOT_CELLS, lattice_step, spot_area
from ep_core.masks.smooth import MaskLattice
from ep_core.masks.smooth_maximum import kernel_profile

from .small_frames import blob_model, image


@pytest.mark.parametrize(
    ("size", "cells"),
    [
        ((16, 16), (8, 8)),
        ((28, 28), (14, 14)),
        ((33, 45), (16, 22)),
        ((64, 64), (32, 32)),
        ((64, 100), (32, 50)),
        ((224, 224), (32, 32)),
        ((320, 224), (46, 32)),
        ((299, 299), (32, 32)),
        ((384, 600), (32, 50)),
    ],
)
def test_the_shorter_side_has_32_cells_or_cells_of_two_pixels(size: tuple[int, int], cells: tuple[int, int]) -> None:
    lattice = MaskLattice(size, samples=2)
    assert lattice.shape == cells
    assert lattice.smooth(torch.rand(1, 1, *cells)).shape == (1, 1, *size)


def test_at_224_pixels_masks_are_those_of_steps_of_seven_pixels_to_the_bit() -> None:
    for size in ((224, 224), (224, 301)):
        for samples in (2, None):
            own, sevens = MaskLattice(size, samples=samples), MaskLattice(size, step=7, samples=samples)
            parameters = torch.rand(1, 1, *sevens.shape, generator=torch.Generator().manual_seed(0))
            assert torch.equal(own.smooth(parameters), sevens.smooth(parameters))


def test_walks_over_a_scaled_frame_have_the_frames_step() -> None:
    """4/7 of the sides and of the cells: 19 of 32, at 224 pixels and at twice as many."""
    for side in (224, 448):
        scaled = round(side * 4 / 7)
        assert MaskLattice((scaled, scaled), step=lattice_step((side, side)), samples=2).shape == (19, 19)


def test_a_frame_twice_as_large_has_the_same_mask_twice_as_large() -> None:
    parameters = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    small, large = (MaskLattice((side, side)).smooth(parameters) for side in (64, 448))
    means = avg_pool2d(large, 7)
    torch.testing.assert_close(small, means, atol=0.06, rtol=0)  # of 7 x 7 pixels, and at their middle


def test_the_spot_of_a_single_cell_is_where_its_kernel_is_above_one_half() -> None:
    z = torch.linspace(-6, 6, 2401)
    distance = (z[:, None] ** 2 + z[None, :] ** 2).sqrt()
    above = float((kernel_profile(distance) > 0.5).double().mean()) * 144
    assert pytest.approx(above, rel=0.01) == SPOT_CELLS
    assert spot_area((224, 224)) == pytest.approx(SPOT_CELLS / 1024)
    assert spot_area((28, 28)) == pytest.approx(SPOT_CELLS / 196)


@pytest.mark.parametrize("size", [(15, 15), (40, 8), (1, 300)])
def test_too_small_a_frame_is_refused_before_any_work(size: tuple[int, int]) -> None:
    said = f"{size[0]} x {size[1]} pixels is too small for masks: its shorter side must have at least {LEAST_SIDE}"

    model, calls = blob_model(size), list[int]()
    model.network.register_forward_hook(lambda *_: calls.append(1))
    pictures = {"model": Image.new("RGB", (300, 200)), "image": torch.rand(1, 3, *size)}
    for field, picture in pictures.items():
        with pytest.raises(InvalidInput, match=said) as raised:
            explain(model, picture, ExtremalSpec(target=0))
        assert raised.value.field == field
        with pytest.raises(InvalidInput, match=said):
            compare(model, picture, CompareSpec(target=0, methods=("center",)))
    assert not calls


def test_the_smallest_frame_is_explained() -> None:
    size = (LEAST_SIDE, LEAST_SIDE)
    found = explain(blob_model(size), image(size), ExtremalSpec(target=0, areas=(0.2, 0.4), perturbation="fade"))
    assert [point.measured_area for point in found.curve] == pytest.approx([0.2, 0.4], abs=1e-3)
    assert found.warnings == ()
