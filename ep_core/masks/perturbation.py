"""The perturbation operator ``m (x) x`` of section 3.4: a pyramid of ever stronger perturbations, dosed by the mask.

A pyramid holds L + 1 levels, from the image itself (level 0) to the strongest perturbation (level L). A mask value m
reads it at depth ``L (1 - m)``, linearly between levels (footnote 3): m = 1 is the image, m = 0 the strongest level.
"""

from __future__ import annotations

from collections.abc import Hashable
from copy import copy
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .masked_images import MaskedImages

BLUR_SIGMA_AT_224 = 20.0
"""Default strongest blur, in pixels, for a frame whose shorter side is 224; the paper gives no number."""


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Blur with a Gaussian that is normalised over the image (the formula of 3.4), so that borders don't darken.

    The kernel separates, and so does its mass inside a rectangle: two products with row-normalised matrices are exact,
    with no truncated window.

    Args:
        image: N x C x H x W.
        sigma: standard deviation in pixels; 0 returns the image.

    Returns:
        N x C x H x W, each pixel a weighted mean of the image's pixels.
    """
    if sigma == 0:
        return image
    rows = _gaussian_matrix(image.shape[2], sigma, image)
    columns = _gaussian_matrix(image.shape[3], sigma, image)
    return rows @ image @ columns.T


def _gaussian_matrix(size: int, sigma: float, like: Tensor) -> Tensor:
    position = torch.arange(size, dtype=like.dtype, device=like.device)
    weights = torch.exp(-((position[:, None] - position[None, :]) ** 2) / (2 * sigma**2))
    return weights / weights.sum(dim=1, keepdim=True)


def blur_pyramid(image: Tensor, *, sigma_max: float, levels: int) -> Tensor:
    """Return `levels` blurs of an image with sigma = sigma_max * l / L, l = 0 ... L (footnote 3).

    Args:
        image: 1 x 3 x H x W, normalised for the network.
        sigma_max: strongest blur, in pixels.
        levels: L + 1, at least 2.

    Returns:
        levels x 3 x H x W.
    """
    sigmas = torch.linspace(0, sigma_max, levels).tolist()
    return torch.cat([gaussian_blur(image, sigma) for sigma in sigmas])


def fade_pyramid(image: Tensor, *, black: Tensor, sigma_max: float = 1.0) -> Tensor:
    """Return the image and its fade to black (footnote 2), ``(1 - sigma_max) x``; linear in between, so two levels do.

    Args:
        image: 1 x 3 x H x W, normalised for the network.
        black: 3 x 1 x 1, what the normalisation makes of a black pixel.
        sigma_max: share of the light taken away at m = 0, in (0, 1].

    Returns:
        2 x 3 x H x W.
    """
    return torch.cat([image, black + (1 - sigma_max) * (image - black)])


class Pyramids(MaskedImages):
    """The pyramids of one or more images of the same size, laid out for `perturb`: a row of 3 channels per pixel.

    Two rows are read per pixel, a level and its difference to the next: linear interpolation and, for the backward
    pass, its slope.
    """

    def __init__(self, pyramids: Tensor) -> None:
        """Take pyramids as images x levels x 3 x H x W."""
        _, self.levels, self.channels, self.height, self.width = pyramids.shape
        rows = pyramids.permute(0, 1, 3, 4, 2).contiguous()
        differences = torch.zeros_like(rows)
        differences[:, :-1] = rows[:, 1:] - rows[:, :-1]
        differences[:, -1] = differences[:, -2]  # at m = 0, the slope of the way there: else zeros could never rise
        self.rows = rows.view(-1, self.channels)
        self.differences = differences.view(-1, self.channels)
        self.pixels = torch.arange(self.height * self.width, device=pyramids.device)
        self._image_stride = self.levels * self.height * self.width

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""
        return self.height, self.width

    @property
    def device(self) -> torch.device:
        """Device of the images."""
        return self.rows.device

    @property
    def count(self) -> int:
        """Places for images, free ones included."""
        return len(self.rows) // self._image_stride

    @property
    def kind(self) -> Hashable:
        """What images have in common that can lie beside each other."""
        return self.levels, self.channels, self.size, self.device, self.rows.dtype

    def with_room(self, count: int) -> Self:
        """Return a copy with so many places; see `MaskedImages`."""
        copied = copy(self)
        more = (count - self.count) * self._image_stride
        copied.rows, copied.differences = (
            torch.cat([own, own.new_zeros(more, self.channels)]) for own in (self.rows, self.differences)
        )
        return copied

    def put(self, place: int, other: Self, image: int) -> None:
        """Copy an image of others to a place; see `MaskedImages`."""
        for own, theirs in ((self.rows, other.rows), (self.differences, other.differences)):
            self._of(own, place).copy_(self._of(theirs, image))

    def _of(self, rows: Tensor, image: int) -> Tensor:
        return rows[image * self._image_stride : (image + 1) * self._image_stride]

    def scores(self, network: nn.Module, masks: Tensor, image_index: Tensor) -> Tensor:
        """Return the scores ``Phi(m (x) x)``; see `MaskedImages`."""
        scores: Tensor = network(self.perturb(masks, image_index))
        return scores

    def perturb(self, masks: Tensor, image_index: Tensor) -> Tensor:
        """Return ``m (x) x`` for each mask.

        Args:
            masks: K x 1 x H x W in [0, 1].
            image_index: K indices of the images that the masks belong to.

        Returns:
            K x 3 x H x W (channels last in memory), differentiable with respect to the masks.
        """
        return _Perturb.apply(masks, self, image_index * self._image_stride)


class _Perturb(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, masks: Tensor, pyramids: Pyramids, first_row: Tensor) -> Tensor:
        count, plane = masks.shape[0], pyramids.height * pyramids.width
        depth = (1 - masks.reshape(count, plane)) * (pyramids.levels - 1)
        level = depth.floor().clamp_(0, pyramids.levels - 1)
        index = (level.long() * plane).add_(pyramids.pixels).add_(first_row[:, None]).view(-1)
        slope = pyramids.differences.index_select(0, index).view(count, plane, -1)
        base = pyramids.rows.index_select(0, index).view(count, plane, -1)
        ctx.save_for_backward(slope)
        ctx.levels = pyramids.levels
        ctx.shape = masks.shape
        perturbed = torch.addcmul(base, slope, (depth - level).unsqueeze(-1))
        return perturbed.view(count, pyramids.height, pyramids.width, -1).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        per_pixel = grad.permute(0, 2, 3, 1).reshape(slope.shape)
        return (per_pixel * slope).sum(dim=-1).mul_(1 - ctx.levels).view(ctx.shape), None, None
