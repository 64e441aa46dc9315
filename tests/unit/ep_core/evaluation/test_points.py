"""Highest points of maps and their hits, by hand."""

from __future__ import annotations

import numpy as np

from ep_core.evaluation.points import highest_point, is_hit, on_image
from ep_core.models.frame import Frame


def test_distance_to_the_object_decides() -> None:
    mask = np.zeros((60, 60), dtype=bool)
    mask[30, 30] = True
    assert is_hit(mask, (30, 30), 0)
    assert not is_hit(mask, (31, 30), 0)
    assert is_hit(mask, (45, 30), 15)
    assert not is_hit(mask, (46, 30), 15)
    assert is_hit(mask, (30, 15), 15)
    assert not is_hit(mask, (30, 14), 15)
    assert is_hit(mask, (21, 18), 15)  # 9 and 12: exactly 15
    assert not is_hit(mask, (41, 41), 15)  # 11 and 11: 15.6
    mask[30, 30], mask[0, 59] = False, True
    assert is_hit(mask, (59, 15), 15)
    assert not is_hit(np.zeros_like(mask), (3, 3), 15)


def test_of_several_maxima_the_middle_one_is_the_point() -> None:
    flat = np.zeros((9, 21))
    assert highest_point(flat) == (10, 4)
    flat[2, 3] = flat[2, 5] = flat[2, 13] = 1  # their mean is column 7
    assert highest_point(flat) == (5, 2)


def test_maps_lie_on_the_picture_in_their_order() -> None:
    frame = Frame((20, 40), (10, 20), (0, 0, 40, 20))
    values = np.full((10, 20), -1e6)
    values[3, 14] = -1e6 + 1  # the order counts, not the size
    shown = on_image(values, frame, 0)
    assert shown.shape == (20, 40)
    assert highest_point(shown) in {(28, 6), (29, 6), (28, 7), (29, 7)}
    assert shown.min() == 0
    assert not on_image(np.full((10, 20), 7.0), frame, 0.09).any()


def test_smoothing_is_a_gaussian_of_the_map_that_is_0_beyond_the_picture() -> None:
    """Pixel by pixel: a share of the shorter side, here 20 pixels, so that sigma is 2."""
    frame = Frame((20, 40), (20, 40), (0, 0, 40, 20))
    values = np.random.default_rng(0).random((20, 40))
    values[0, 0], values[19, 39] = 1, 0
    shown = on_image(values, frame, 0.1)
    rows, columns = np.mgrid[:20, :40]
    steps = np.arange(-8, 9)
    mass = np.exp(-(steps**2) / 8).sum() ** 2
    for row, column in ((0, 0), (3, 17), (10, 20), (19, 39), (0, 25)):
        distance = (rows - row) ** 2 + (columns - column) ** 2
        near = (abs(rows - row) <= 8) & (abs(columns - column) <= 8)
        expected = (np.exp(-distance / 8) * values * near).sum() / mass
        assert abs(shown[row, column] - expected) < 1e-4
    blocks = np.zeros((20, 40))
    blocks[:3, :3], blocks[8:14, 18:24] = 1, 0.8  # the one in the corner is but a quarter of a block of 6 x 6
    assert highest_point(on_image(blocks, frame, 0.1)) == (20, 10)
