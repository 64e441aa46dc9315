"""Highest points of maps, and hits: whether such a point lies on an object."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from ep_core.evaluation.data.annotations import BoolMask
from ep_core.models.frame import Frame

Point = tuple[int, int]
"""Column and row of a pixel."""

SMOOTHING = {
    "gradient": 0.02,
    "smoothgrad": 0.02,
    "integrated_gradients": 0.02,
    "deconvnet": 0.02,
    "guided_backprop": 0.02,
    "lrp": 0.02,
    "extremal": 0.09,
}
"""Sigma of the Gaussian that smooths a method's maps, as a share of the picture's shorter side: 2% for maps that differ
from pixel to pixel, as TorchRay smooths the gradient's; 9% for the sum of binary masks (4.2). Others stay as they are.
"""
ALIKE = SMOOTHING["extremal"]
"""Sigma, as in `SMOOTHING`, where every method's maps are smoothed alike: that of extremal maps."""
BEYOND = 0.0
"""Value of a map beyond the picture's borders, for the Gaussian. A Gaussian normalised over the
picture would lift whatever lies at a border, up to fourfold in a corner.
"""


def on_image(of_class: npt.NDArray[np.floating], frame: Frame, sigma_share: float) -> npt.NDArray[np.float32]:
    """Return a map as it lies on the picture, smoothed there as TorchRay does it: `BEYOND` its borders it is 0.

    Args:
        of_class: H x W of the frame, any values.
        frame: where the network's input lies.
        sigma_share: sigma of the Gaussian, as a share of the picture's shorter side; 0 smooths nothing.

    Returns:
        H0 x W0 of the picture, in [0, 1], in the order of the map's values: 0 where it is lowest. All 0 for a constant.
    """
    low, high = of_class.min(), of_class.max()
    normalised = (of_class - low) / (high - low) if high > low else np.zeros_like(of_class)
    sigma = sigma_share * min(frame.image_size)
    return gaussian_filter(frame.mask_to_image(normalised), sigma, mode="constant", cval=BEYOND)


def highest_point(on_picture: npt.NDArray[np.floating]) -> Point:
    """Return the pixel where a map is highest.

    Of several it is the one nearest to the mean of their positions (the middle of a constant map, and of a plateau):
    the first one in memory would favour the upper left corner.
    """
    rows, columns = np.nonzero(on_picture == on_picture.max())
    nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    return int(columns[nearest]), int(rows[nearest])


def is_hit(mask: BoolMask, point: Point, tolerance: float) -> bool:
    """Return whether a pixel is at most `tolerance` pixels from one of the mask, H x W, middle to middle."""
    column, row = point
    reach = int(tolerance)
    top, left = max(0, row - reach), max(0, column - reach)
    rows, columns = np.nonzero(mask[top : row + reach + 1, left : column + reach + 1])
    distances = (rows + top - row) ** 2 + (columns + left - column) ** 2
    return bool((distances <= tolerance**2).any())
