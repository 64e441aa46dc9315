"""Masks of a vision transformer's patches: each is kept or left out as a whole. Areas are counts of patches."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from .area import area_pixels
from .smooth import sharpened


class PatchLattice:
    """Map from a parameter for each patch to masks of an image's size: what `MaskLattice` is for smooth masks."""

    def __init__(self, size: tuple[int, int], patches: tuple[int, int], left: Tensor | None = None) -> None:
        """Set the sizes.

        Args:
            size: height and width of the image, in pixels.
            patches: rows and columns of its patches, of which there is a whole number along each side.
            left: 1 x 1 x h x w of ones and zeros: the patches that masks may keep; None: all.
        """
        self.size = size
        self.shape = patches
        self._left = left

    @property
    def kind(self) -> Hashable:
        """What lattices have in common that make the same masks of the same parameters."""
        return self.size, self.shape, None if self._left is None else id(self)

    @property
    def largest(self) -> float:
        """Area of the mask that keeps all patches that it may."""
        return 1.0 if self._left is None else float(self._left.mean())

    def smooth(self, parameters: Tensor, contrast: Tensor | None = None) -> Tensor:
        """Return the masks of parameters, as large as the image; each patch is as its parameter says.

        Args:
            parameters: K x 1 x h x w in [0, 1].
            contrast: K x 1 x 1 x 1, at least 1 (`sharpened`); None leaves the parameters as they are.

        Returns:
            K x 1 x H x W in [0, 1], differentiable.
        """
        values = parameters if contrast is None else sharpened(parameters, contrast)
        return to_pixels(values if self._left is None else values * self._left, self.size)

    def means(self, masks: Tensor) -> Tensor:
        """Return the means of masks (K x 1 x H x W) over the patches that they may keep, zeros of others: K x T."""
        means = to_patches(masks, self.shape)
        return means if self._left is None else means * self._left.flatten(1)

    def top(self, parameters: Tensor, areas: Sequence[float]) -> Tensor:
        """Return the masks of the patches with the largest parameters: K x 1 x H x W of ones and zeros.

        Args:
            parameters: K x 1 x h x w, any values.
            areas: K shares of the image; a mask holds the nearest count of patches, at least one, at most all that it
                may keep.
        """
        flat = parameters.flatten(1)
        most = flat.shape[1]
        if self._left is not None:
            flat = flat.masked_fill(self._left.flatten(1) == 0, -math.inf)
            most = int(self._left.sum())
        order = flat.argsort(dim=1, descending=True, stable=True)
        counts = [min(area_pixels(area, flat.shape[1]), most) for area in areas]
        ranks = torch.arange(flat.shape[1], device=flat.device).expand_as(order)
        kept = (ranks < torch.tensor(counts, device=flat.device)[:, None]).to(flat)
        return to_pixels(torch.zeros_like(flat).scatter(1, order, kept).view_as(parameters), self.size)


def to_pixels(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Return values of patches (K x 1 x h x w) at the pixels of a size: K x 1 x H x W."""
    return interpolate(values, size=size, mode="nearest")


def to_patches(masks: Tensor, patches: tuple[int, int]) -> Tensor:
    """Return the means of masks (K x 1 x H x W) over patches, row by row: K x T."""
    return interpolate(masks, size=patches, mode="area").flatten(1)
