"""The smooth masks of section 3.5 and A.1: a small lattice of parameters, smoothed by a (smooth) max-convolution.

Lattice positions and distances are in lattice steps. The lattice spreads regularly over the whole image, sample i at
the centre of cell i, so that every pixel is within half a cell of a sample.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from .cells import lattice_step
from .smooth_maximum import Neighbours, maximum, smooth_maximum


class MaskLattice:
    """Map from a lattice of mask parameters to masks of an image's size.

    The smooth maximum is evaluated at `samples` points per lattice step and direction, from there bilinearly at the
    pixels: a mask stays as smooth as its points are. Where `samples` equals the step and divides the image evenly, the
    points are the pixels.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        step: Fraction | int | None = None,
        samples: int | None = None,
        sharpness: float = 20.0,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Lay a lattice over an image.

        Args:
            size: height and width of the image, in pixels.
            step: pixels per lattice step; None takes the frame's own (`lattice_step`).
            samples: points per step at which the smooth maximum is evaluated; None takes one per pixel, at least.
            sharpness: 1/T of the smooth maximum (eq. 7).
            device: where masks are computed.
            dtype: float32 or float64.
        """
        self.size = size
        step = step or lattice_step(size)
        self.shape = (math.ceil(size[0] / step), math.ceil(size[1] / step))
        self.samples = samples or math.ceil(step)
        self.sharpness = sharpness
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.neighbours = Neighbours(self.shape, self.samples, sharpness, **place)
        points = tuple(cells * self.samples for cells in self.shape)
        self._interpolation = (
            None
            if points == size
            else [_bilinear_matrix(pixels, known).to(**place) for pixels, known in zip(size, points, strict=True)]
        )

    @property
    def kind(self) -> Hashable:
        """What lattices have in common that make the same masks of the same parameters."""
        return self.size, self.shape, self.samples, self.sharpness

    def smooth(self, parameters: Tensor, contrast: Tensor | None = None) -> Tensor:
        """Return the smooth masks of lattice parameters: eq. 6 with the smooth maximum of eq. 7.

        Args:
            parameters: K x 1 x h x w in [0, 1], h x w being `shape`.
            contrast: K x 1 x 1 x 1, at least 1 (`sharpened`); None leaves the masks as they are.

        Returns:
            K x 1 x H x W in [0, 1], differentiable.
        """
        values = smooth_maximum(parameters, self.neighbours)
        return self._to_pixels(values if contrast is None else sharpened(values, contrast))

    def maximum(self, parameters: Tensor) -> Tensor:
        """Return the masks of the exact max-convolution (eq. 6), to which Lemma 1 applies; shapes as for `smooth`."""
        return self._to_pixels(maximum(parameters, self.neighbours))

    def _to_pixels(self, values: Tensor) -> Tensor:
        """Interpolate linearly along both sides; as products with matrices, since they sum in the same order always."""
        if self._interpolation is None:
            return values
        rows, columns = self._interpolation
        return rows @ values @ columns.T


def sharpened(values: Tensor, contrast: Tensor) -> Tensor:
    """Return ``v^c / (v^c + (1-v)^c)``: more binary, still 0 at 0 and 1 at 1, with slopes of at most c times the old.

    Args:
        values: K x 1 x ... in [0, 1].
        contrast: K x 1 x 1 x 1, at least 1, which changes nothing.
    """
    values = values.clamp(0, 1)
    kept, gone = values**contrast, (1 - values) ** contrast
    return kept / (kept + gone)


def _bilinear_matrix(pixels: int, points: int) -> Tensor:
    """Return what interpolates `points` samples, at the centres of as many cells, linearly at the pixels' centres."""
    place = ((torch.arange(pixels, dtype=torch.float64) + 0.5) * points / pixels - 0.5).clamp(0, points - 1)
    return (1 - (place[:, None] - torch.arange(points)).abs()).clamp_min(0)
