"""Where a map points, and whether that is a hit, by hand."""

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
