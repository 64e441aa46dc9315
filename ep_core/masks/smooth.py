"""The smooth masks of section 3.5 and A.1: a small lattice of parameters, smoothed by a (smooth) max-convolution.

Lattice positions and distances are in lattice steps. The lattice spreads regularly over the whole image, sample i at
the centre of cell i, so that every pixel is within half a cell of a sample.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import fold, pixel_shuffle, pixel_unshuffle, unfold

from .cells import lattice_step

RADIUS = 6
"""Samples farther than this don't matter (A.1): the kernel has fallen below 0.002."""

CHUNK_ELEMENTS = 2**18
"""Numbers held at once for each mask while neighbours are streamed: few, so that they stay in the processor's cache."""


def kernel_profile(distance: Tensor) -> Tensor:
    """Return ``k(z) = exp(-max(0, z - 1)^2 / 4)`` (section 4, whose minus sign got lost in print).

    Flat within one lattice step of the sample, then a smooth decay; Lipschitz with constant `KERNEL_LIPSCHITZ`.
    """
    return torch.exp(-((distance - 1).clamp_min(0) ** 2) / 4)


KERNEL_LIPSCHITZ = math.exp(-0.5) / math.sqrt(2)
"""Largest slope of the kernel's profile, per lattice step, reached at z = 1 + sqrt(2)."""


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
        weights = _phase_weights(self.samples)
        used = weights.flatten(1).any(dim=1).nonzero().flatten()
        self._weights = weights[used].to(**place)
        self._offsets = used.to(device)
        self._missing = self._count_missing(place)
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
        values = _SmoothMaxConvolution.apply(parameters, self)
        return self._to_pixels(values if contrast is None else sharpened(values, contrast))

    def maximum(self, parameters: Tensor) -> Tensor:
        """Return the masks of the exact max-convolution (eq. 6), to which Lemma 1 applies; shapes as for `smooth`."""
        best = torch.zeros_like(self._missing).expand(len(parameters), -1, -1, -1)
        for _, shifted, weights in self._neighbours(parameters):
            best = torch.maximum(best, (shifted * weights).amax(dim=1))
        return self._to_pixels(pixel_shuffle(best, self.samples))

    def _to_pixels(self, values: Tensor) -> Tensor:
        """Interpolate linearly along both sides; as products with matrices, since they sum in the same order always."""
        if self._interpolation is None:
            return values
        rows, columns = self._interpolation
        return rows @ values @ columns.T

    def _neighbours(self, parameters: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Stream the neighbour offsets in chunks of c.

        Yields their indices among all (2R+1)^2 offsets, the parameters there (K x c x 1 x h x w), and the kernel's
        weights there by phase (c x samples^2 x 1 x 1).
        """
        columns = unfold(parameters, 2 * RADIUS + 1, padding=RADIUS).unflatten(2, (1, *self.shape))
        length = max(1, CHUNK_ELEMENTS // (self._weights.shape[1] * self.shape[0] * self.shape[1]))
        for offsets, weights in zip(self._offsets.split(length), self._weights.split(length), strict=True):
            yield offsets, columns.index_select(1, offsets), weights

    def _count_missing(self, place: dict[str, Any]) -> Tensor:
        """Count the offsets that are no neighbours, by phase and cell: outside the radius, or outside the lattice.

        They enter the sums of eq. 7 as zeros, each adding exactly e^0 = 1 to the denominator, which is taken out again.
        """
        inside = torch.zeros(1, self._weights.shape[1], *self.shape, **place)
        for _, present, weights in self._neighbours(torch.ones(1, 1, *self.shape, **place)):
            inside += (present * (weights > 0)).sum(dim=1)
        return len(self._offsets) - inside


def _phase_weights(samples: int) -> Tensor:
    """Return the kernel's weights by neighbour offset and phase: (2R+1)^2 x samples^2 x 1 x 1, 0 beyond the radius."""
    phase = (torch.arange(samples, dtype=torch.float64) + 0.5) / samples - 0.5
    offset = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float64)
    apart = (offset[:, None] - phase[None, :]) ** 2
    distance = (apart[:, None, :, None] + apart[None, :, None, :]).sqrt()
    weights = torch.where(distance <= RADIUS, kernel_profile(distance), 0)
    return weights.reshape((2 * RADIUS + 1) ** 2, samples**2, 1, 1)


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


class _SmoothMaxConvolution(torch.autograd.Function):
    """``m(u) = sum_j f_j exp(f_j / T) / sum_j exp(f_j / T)``, ``f_j = k(u - u_j) m_j``, over the samples j near u.

    The neighbours are streamed into the two sums, and again in the backward pass, which recomputes them: nothing the
    size of neighbours x masks is ever held. Below, g_j = f_j / T and c = m / T.
    """

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, lattice: MaskLattice) -> Tensor:
        shape = (parameters.shape[0], *lattice._missing.shape[1:])
        numerator = parameters.new_zeros(shape)
        denominator = (-lattice._missing).expand(shape).clone()
        for _, shifted, weights in lattice._neighbours(parameters):
            g = shifted * (weights * lattice.sharpness)
            e = torch.exp(g)
            denominator += e.sum(dim=1)
            numerator += e.mul_(g).sum(dim=1)
        c = numerator.div_(denominator)
        ctx.lattice = lattice
        ctx.save_for_backward(parameters, c, denominator)
        return pixel_shuffle(c / lattice.sharpness, lattice.samples)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        parameters, c, denominator = ctx.saved_tensors
        lattice: MaskLattice = ctx.lattice
        # dm/dm_j = k_j e^{g_j} (1 + g_j - c) / sum e^g
        scaled = (pixel_unshuffle(grad, lattice.samples) / denominator)[:, None]
        one_minus_c = (1 - c)[:, None]
        by_offset = parameters.new_zeros(len(parameters), (2 * RADIUS + 1) ** 2, *lattice.shape)
        for offsets, shifted, weights in lattice._neighbours(parameters):
            g = shifted * (weights * lattice.sharpness)
            e = torch.exp(g)
            by_phase = g.add_(one_minus_c).mul_(e).mul_(scaled)
            by_offset.index_copy_(1, offsets, by_phase.mul_(weights).sum(dim=2))
        return fold(by_offset.flatten(2), lattice.shape, 2 * RADIUS + 1, padding=RADIUS), None
