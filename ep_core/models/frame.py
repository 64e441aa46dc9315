"""Position of the network's frame on the image, and the mapping of masks and boxes between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

Box = tuple[float, float, float, float]
"""Left, top, right and bottom: in pixels of an image, or as shares of the frame's width and height."""


@dataclass(frozen=True)
class Frame:
    """Crop of an image of `image_size` from which the network's input of `input_size` was made.

    Attributes:
        image_size: height and width of the original image, in pixels.
        input_size: height and width of the network's input, in pixels.
        box: left, top, right and bottom of the input's outer edges on the original image, in its pixels (pixel i spans
            [i, i + 1]). It reaches outside the image where the input was padded.
    """

    image_size: tuple[int, int]
    input_size: tuple[int, int]
    box: Box

    @property
    def visible_box(self) -> tuple[int, int, int, int]:
        """The part of the image that the network sees: left, top, right and bottom, in whole pixels."""
        left, top, right, bottom = self.box
        height, width = self.image_size
        return max(0, round(left)), max(0, round(top)), min(width, round(right)), min(height, round(bottom))

    def box_in_frame(self, box: Box) -> Box | None:
        """Return a box of the image, in its pixels, as shares of the frame; None where the network sees none of it.

        What the network doesn't see of it is cut off.
        """
        seen = self.visible_box
        left, top = max(box[0], seen[0]), max(box[1], seen[1])
        right, bottom = min(box[2], seen[2]), min(box[3], seen[3])
        if left >= right or top >= bottom:
            return None
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return (
            (left - self.box[0]) / width,
            (top - self.box[1]) / height,
            (right - self.box[0]) / width,
            (bottom - self.box[1]) / height,
        )

    def box_on_image(self, shares: Box) -> Box:
        """Return a box, as shares of the frame, in pixels of the image."""
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return (
            self.box[0] + shares[0] * width,
            self.box[1] + shares[1] * height,
            self.box[0] + shares[2] * width,
            self.box[1] + shares[3] * height,
        )

    def on(self, image_size: tuple[int, int]) -> Frame:
        """Return the frame as it lies on its image in another size (height and width, in pixels)."""
        height, width = self.image_size
        y, x = image_size[0] / height, image_size[1] / width
        left, top, right, bottom = self.box
        return replace(self, image_size=image_size, box=(left * x, top * y, right * x, bottom * y))

    def mask_to_image(self, mask: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Return `mask` as it lies on the original image.

        Args:
            mask: H x W of `input_size`, values in [0, 1].

        Returns:
            H0 x W0 of `image_size`, values in [0, 1]: bilinear between pixel centres (averaged where the image is
            coarser than the mask), and 0 at the pixels whose centre lies outside the box.
        """
        if mask.shape != self.input_size:
            raise ValueError(f"the mask is {mask.shape}, the frame {self.input_size}")
        left, top, right, bottom = self.box
        on_image = np.zeros(self.image_size, dtype=np.float32)
        rows = _covered(top, bottom, self.image_size[0])
        columns = _covered(left, right, self.image_size[1])
        if not rows or not columns:
            return on_image
        row_scale = self.input_size[0] / (bottom - top)
        column_scale = self.input_size[1] / (right - left)
        # Edge pixels' kernels reach over the mask's border: repeat it that far.
        pad_rows, pad_columns = math.ceil(2 * row_scale), math.ceil(2 * column_scale)
        padded = np.pad(mask.astype(np.float32), ((pad_rows, pad_rows), (pad_columns, pad_columns)), mode="edge")
        region = (
            (columns.start - left) * column_scale + pad_columns,
            (rows.start - top) * row_scale + pad_rows,
            (columns.stop - left) * column_scale + pad_columns,
            (rows.stop - top) * row_scale + pad_rows,
        )
        resized = Image.fromarray(padded).resize((len(columns), len(rows)), Image.Resampling.BILINEAR, box=region)
        on_image[rows.start : rows.stop, columns.start : columns.stop] = np.clip(np.asarray(resized), 0, 1)
        return on_image


def _covered(start: float, stop: float, size: int) -> range:
    """Return the pixels of ``[0, size)`` whose centre lies in ``[start, stop)``."""
    return range(max(0, math.ceil(start - 0.5)), min(size, math.ceil(stop - 0.5)))
