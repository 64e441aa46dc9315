"""Batches that are filled up."""

from __future__ import annotations

import pytest
import torch

from ep_core.models.runtime.batching import fill_up, filled_size


@pytest.mark.parametrize("shape", [(5, 7), (5, 1, 4, 6), (5, 3, 4, 6)])
def test_zeros_come_after_the_rows(shape: tuple[int, ...]) -> None:
    rows = torch.rand(shape)
    filled = fill_up(rows, 8)
    assert torch.equal(filled[:5], rows)
    assert filled.shape == (8, *shape[1:])
    assert not filled[5:].any()
    assert torch.equal(fill_up(rows, 5), rows)


def test_images_stay_channels_last() -> None:
    images = torch.rand(5, 3, 4, 6).contiguous(memory_format=torch.channels_last)
    assert fill_up(images, 8).is_contiguous(memory_format=torch.channels_last)


def test_halving_a_batch_halves_what_it_is_filled_up_to() -> None:
    """So that memory that runs out is made do with, down to a single mask."""
    sizes = [filled_size(count) for count in (128, 64, 32, 16, 8, 4, 2, 1)]
    assert sizes == [128, 64, 32, 16, 8, 4, 2, 1]
    assert [filled_size(count) for count in (3, 65, 97, 129, 193)] == [4, 96, 128, 192, 256]
