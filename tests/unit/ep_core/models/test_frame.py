"""The way from the network's frame back to the image."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from ep_core.models import Frame, Preprocessing

CROP = Preprocessing((224, 224), resize=256)
STRAIGHT = Preprocessing((224, 224))
WIDE = Preprocessing((128, 256), resize=200)
PADDED = Preprocessing((224, 224), resize=150)


def intersection_over_union(first, second):
    return (first & second).sum() / (first | second).sum()


@pytest.mark.parametrize("preprocessing", [CROP, STRAIGHT, WIDE, PADDED], ids=["crop", "straight", "wide", "padded"])
@pytest.mark.parametrize("fit", ["crop", "stretch", "whole"])
@pytest.mark.parametrize(
    "size",
    [(640, 427), (427, 640), (500, 500), (1001, 333), (60, 40), (41, 59), (224, 224)],
    ids=lambda s: f"{s[0]}x{s[1]}",
)
def test_what_was_bright_in_the_image_is_marked_in_the_image(preprocessing, fit, size):
    width, height = size
    bright = np.zeros((height, width), dtype=bool)
    bright[round(height * 0.4) : round(height * 0.65), round(width * 0.4) : round(width * 0.7)] = True
    tensor, frame = preprocessing.preprocess(Image.fromarray(bright.astype(np.uint8) * 255).convert("RGB"), fit)
    mask = np.asarray(preprocessing.to_image(tensor).convert("L")) > 127
    on_image = frame.mask_to_image(mask.astype(np.float32))
    assert on_image.shape == (height, width)
    assert on_image.dtype == np.float32
    inside = frame.mask_to_image(np.ones(frame.input_size)) > 0
    assert intersection_over_union(on_image > 0.5, bright & inside) > 0.95


@pytest.mark.parametrize("size", [(640, 427), (427, 640), (61, 40)])
def test_outside_the_crop_the_mask_is_zero_and_inside_it_is_kept(size):
    width, height = size
    _, frame = CROP.preprocess(Image.new("RGB", size), "crop")
    left, top, right, bottom = frame.box
    xs, ys = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    inside = (xs >= left) & (xs < right) & (ys >= top) & (ys < bottom)
    np.testing.assert_array_equal(frame.mask_to_image(np.ones((224, 224))), inside.astype(np.float32))
    assert 0.3 < inside.mean() < 0.7  # 224^2 / 256^2 of a square, and less of these


def test_stretch_covers_the_whole_image():
    _, frame = CROP.preprocess(Image.new("RGB", (640, 427)), "stretch")
    assert frame.box == (0, 0, 640, 427)
    assert frame.mask_to_image(np.ones((224, 224))).min() == 1


def test_magnified_values_are_bilinear_between_pixel_centres():
    frame = Frame(image_size=(57, 80), input_size=(7, 9), box=(10.3, -4.2, 71.9, 44.4))
    mask = np.random.default_rng(0).random((7, 9))
    left, top, right, bottom = frame.box
    rows = (np.arange(57) + 0.5 - top) / (bottom - top) * 7 - 0.5
    columns = (np.arange(80) + 0.5 - left) / (right - left) * 9 - 0.5
    expected = map_coordinates(mask, np.meshgrid(rows, columns, indexing="ij"), order=1, mode="nearest")
    expected[(rows < -0.5) | (rows >= 6.5)] = 0
    expected[:, (columns < -0.5) | (columns >= 8.5)] = 0
    np.testing.assert_allclose(frame.mask_to_image(mask), expected, atol=1e-5)


def test_a_coarser_image_gets_the_mean_and_not_a_sample():
    stripes = np.tile([0.0, 1.0], (224, 112))
    frame = Frame(image_size=(16, 16), input_size=(224, 224), box=(0, 0, 16, 16))
    np.testing.assert_allclose(frame.mask_to_image(stripes)[:, 1:-1], 0.5, atol=0.01)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"\(7, 7\)"):
        Frame((10, 10), (8, 8), (0, 0, 10, 10)).mask_to_image(np.ones((7, 7)))


def test_a_crop_between_two_pixel_centres_marks_nothing():
    assert Frame((1, 700), (8, 8), (349.56, 0, 350.43, 1)).mask_to_image(np.ones((8, 8))).sum() == 0


def test_boxes_go_to_the_frame_and_back() -> None:
    """Of 100 x 40, the frame shows the columns from 30 to 70."""
    frame = Frame(image_size=(40, 100), input_size=(8, 8), box=(30, 0, 70, 40))
    assert frame.box_in_frame((40, 10, 60, 40)) == (0.25, 0.25, 0.75, 1.0)
    assert frame.box_on_image((0.25, 0.25, 0.75, 1.0)) == (40, 10, 60, 40)
    assert frame.box_in_frame((0, -9, 50, 20)) == (0.0, 0.0, 0.5, 0.5)  # what isn't seen is cut off
    assert frame.box_in_frame((0, 0, 30, 40)) is None
    assert frame.box_in_frame((40, 40, 60, 50)) is None


def test_padding_is_no_part_of_a_box() -> None:
    """The frame reaches 10 pixels beyond the image on each side."""
    frame = Frame(image_size=(20, 20), input_size=(8, 8), box=(-10, -10, 30, 30))
    assert frame.box_in_frame((-10, -10, 30, 10)) == (0.25, 0.25, 0.75, 0.5)
    assert frame.box_in_frame((-10, -10, 0, 0)) is None
