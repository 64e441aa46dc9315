"""Masks of a vision transformer's patches: each is kept or left out as a whole. Areas are counts of patches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from .area import area_pixels
from .smooth import sharpened


class PatchLattice:
    """Map from a parameter for each patch to masks of an image's size: what `MaskLattice` is for smooth masks."""

    def __init__(self, size: tuple[int, int], patches: tuple[int, int]) -> None:
        """Set the sizes.

        Args:
            size: height and width of the image, in pixels.
            patches: rows and columns of its patches, of which there is a whole number along each side.
        """
        self.size = size
        self.shape = patches

    def smooth(self, parameters: Tensor, contrast: Tensor | None = None) -> Tensor:
        """Return the masks of parameters, as large as the image; each patch is as its parameter says.

        Args:
            parameters: K x 1 x h x w in [0, 1].
            contrast: K x 1 x 1 x 1, at least 1 (`sharpened`); None leaves the parameters as they are.

        Returns:
            K x 1 x H x W in [0, 1], differentiable.
        """
        return to_pixels(parameters if contrast is None else sharpened(parameters, contrast), self.size)

    def top(self, parameters: Tensor, areas: Sequence[float]) -> Tensor:
        """Return the masks of the patches with the largest parameters: K x 1 x H x W of ones and zeros.

        Args:
            parameters: K x 1 x h x w, any values.
            areas: K shares of the image; a mask holds the nearest count of patches, at least one.
        """
        flat = parameters.flatten(1)
        order = flat.argsort(dim=1, descending=True, stable=True)
        counts = [area_pixels(area, flat.shape[1]) for area in areas]
        ranks = torch.arange(flat.shape[1], device=flat.device).expand_as(order)
        kept = (ranks < torch.tensor(counts, device=flat.device)[:, None]).to(flat)
        return to_pixels(torch.zeros_like(flat).scatter(1, order, kept).view_as(parameters), self.size)


def to_pixels(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Return values of patches (K x 1 x h x w) at the pixels of a size: K x 1 x H x W."""
    return interpolate(values, size=size, mode="nearest")


def to_patches(masks: Tensor, patches: tuple[int, int]) -> Tensor:
    """Return the means of masks (K x 1 x H x W) over patches, row by row: K x T."""
    return interpolate(masks, size=patches, mode="area").flatten(1)
