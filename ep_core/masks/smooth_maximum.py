"""The smooth maximum of section 3.5 and A.1 (eq. 7) on a lattice, and its gradient.

``m(u) = sum_j f_j exp(f_j / T) / sum_j exp(f_j / T)``, ``f_j = k(u - u_j) m_j``, over the samples j within `RADIUS` of
a point u. Below, g_j = f_j / T and c = m / T, so that ``dm/dm_j = k_j e^{g_j} (1 + g_j - c) / sum e^g``.

The points are `samples`^2 for each cell of the lattice; those at the same place in their cells are a phase. On a CPU
the exponentials are taken once for each *distance* of a point from a sample, of which there are few, and summed by
shifts of whole lattices: a fifth of the time for 32 masks. Elsewhere, where that many small operations cost more than
exponentials do, neighbours are streamed into the sums. Neither holds anything of the size of neighbours x masks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import fold, pad, pixel_shuffle, pixel_unshuffle, unfold

RADIUS = 6
"""Samples farther than this don't matter (A.1): the kernel has fallen below 0.002."""

CHUNK_ELEMENTS = 2**18
"""Numbers held at once for each mask while neighbours are streamed: few, so that they stay in the processor's cache."""

SAME = 9  # decimals to which distances are the same


def kernel_profile(distance: Tensor) -> Tensor:
    """Return ``k(z) = exp(-max(0, z - 1)^2 / 4)`` (section 4, whose minus sign got lost in print).

    Flat within one lattice step of the sample, then a smooth decay; Lipschitz with constant `KERNEL_LIPSCHITZ`.
    """
    return torch.exp(-((distance - 1).clamp_min(0) ** 2) / 4)


KERNEL_LIPSCHITZ = math.exp(-0.5) / math.sqrt(2)
"""Largest slope of the kernel's profile, per lattice step, reached at z = 1 + sqrt(2)."""


class Neighbours:
    """The samples near each point of a lattice, and the kernel's weights there.

    Attributes:
        shape: h and w, the lattice's cells.
        samples: points per cell and direction.
        sharpness: 1/T.
        rings: for each weight, greater weights first, the places that have it: phase, and how far down and right.
    """

    def __init__(
        self, shape: tuple[int, int], samples: int, sharpness: float, *, device: torch.device | str, dtype: torch.dtype
    ) -> None:
        self.shape, self.samples, self.sharpness = shape, samples, sharpness
        weights = _phase_weights(samples)
        used = weights.any(dim=1).nonzero().flatten()
        self._weights = weights[used, :, None, None].to(device=device, dtype=dtype)
        self._offsets = used.to(device)
        self.rings = _rings(weights)
        self.missing = self._count_missing()

    def stream(self, parameters: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Stream the neighbour offsets in chunks of c.

        Yields their indices among all (2R+1)^2 offsets, the parameters there (K x c x 1 x h x w), and the kernel's
        weights there by phase (c x samples^2 x 1 x 1).
        """
        columns = unfold(parameters, 2 * RADIUS + 1, padding=RADIUS).unflatten(2, (1, *self.shape))
        length = max(1, CHUNK_ELEMENTS // (self._weights.shape[1] * self.shape[0] * self.shape[1]))
        for offsets, weights in zip(self._offsets.split(length), self._weights.split(length), strict=True):
            yield offsets, columns.index_select(1, offsets), weights

    def _count_missing(self) -> Tensor:
        """Count the offsets that are no neighbours, by phase and cell: outside the radius, or outside the lattice.

        They enter streamed sums as zeros, each adding exactly e^0 = 1 to the denominator, which is taken out again.
        """
        inside = self._weights.new_zeros(1, self._weights.shape[1], *self.shape)
        for _, present, weights in self.stream(self._weights.new_ones(1, 1, *self.shape)):
            inside += (present * (weights > 0)).sum(dim=1)
        return len(self._offsets) - inside


def smooth_maximum(parameters: Tensor, neighbours: Neighbours, *, streamed: bool | None = None) -> Tensor:
    """Return the smooth maximum around each point (eq. 7).

    Args:
        parameters: K x 1 x h x w in [0, 1].
        neighbours: of the lattice.
        streamed: whether neighbours are streamed, or lattices shifted; None: what is faster on the device.

    Returns:
        K x 1 x samples h x samples w in [0, 1], differentiable once.
    """
    rule = _Streamed if (parameters.device.type != "cpu" if streamed is None else streamed) else _Shifted
    result: Tensor = rule.apply(parameters, neighbours)
    return result


def maximum(parameters: Tensor, neighbours: Neighbours) -> Tensor:
    """Return the exact maximum around each point (eq. 6), to which Lemma 1 applies; shapes as for `smooth_maximum`."""
    best = torch.zeros_like(neighbours.missing).expand(len(parameters), -1, -1, -1)
    for _, shifted, weights in neighbours.stream(parameters):
        best = torch.maximum(best, (shifted * weights).amax(dim=1))
    return pixel_shuffle(best, neighbours.samples)


def _maxima(ctx: Any, kept: Tensor, numerator: Tensor, denominator: Tensor, neighbours: Neighbours) -> Tensor:
    """Return the quotient of the sums (K x phases x h x w) at the points; keep what the backward pass needs."""
    c = numerator / denominator
    ctx.neighbours = neighbours
    ctx.save_for_backward(kept, c, denominator)
    return pixel_shuffle(c / neighbours.sharpness, neighbours.samples)


class _Shifted(torch.autograd.Function):
    """Sums by shifted lattices: one exponential for each distance.

    Both sums are of h x 2 x w x K numbers here, so that what is added lies in long runs.
    """

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, neighbours: Neighbours) -> Tensor:
        (height, width), count = neighbours.shape, len(parameters)
        values = parameters[:, 0].permute(1, 2, 0).contiguous()
        sums = values.new_zeros(neighbours.samples**2, height, 2, width, count)
        padded = values.new_zeros(height + 2 * RADIUS, 2, width + 2 * RADIUS, count)
        views = _Views(padded, neighbours.shape)
        e, eg = views[RADIUS, RADIUS].unbind(1)
        by_phase = sums.unbind()
        for weight, places in neighbours.rings:
            g = values * (weight * neighbours.sharpness)
            torch.exp(g, out=e)
            torch.mul(e, g, out=eg)
            for phase, down, right in places:
                by_phase[phase].add_(views[down + RADIUS, right + RADIUS])
        denominator, numerator = sums.permute(2, 4, 0, 1, 3).contiguous()  # K x phases x h x w
        return _maxima(ctx, values, numerator, denominator, neighbours)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        values, c, denominator = ctx.saved_tensors
        neighbours: Neighbours = ctx.neighbours
        scaled = pixel_unshuffle(grad, neighbours.samples) / denominator
        padded = pad(torch.stack([scaled, scaled * c]), [RADIUS] * 4).permute(2, 3, 0, 4, 1).contiguous()
        views = [_Views(one, neighbours.shape) for one in padded]
        result, total = torch.zeros_like(values), torch.empty_like(views[0][RADIUS, RADIUS])
        ones, cs = total.unbind(1)
        for weight, places in neighbours.rings:
            total.zero_()
            for phase, down, right in places:
                total.add_(views[phase][RADIUS - down, RADIUS - right])
            g = values * (weight * neighbours.sharpness)
            result.addcmul_(torch.exp(g), g.add_(1).mul_(ones).sub_(cs), value=weight)
        return result.permute(2, 0, 1)[:, None], None


class _Views(dict[tuple[int, int], Tensor]):
    """Lattices within a padded one (H x 2 x W x K), by where they begin: each made when it is first asked for."""

    def __init__(self, padded: Tensor, shape: tuple[int, int]) -> None:
        super().__init__()
        self._padded = padded
        self._size = (shape[0], 2, shape[1], padded.shape[-1])

    def __missing__(self, start: tuple[int, int]) -> Tensor:
        strides, begin = self._padded.stride(), self._padded.storage_offset()
        begin += start[0] * strides[0] + start[1] * strides[2]
        view = self[start] = self._padded.as_strided(self._size, strides, begin)
        return view


class _Streamed(torch.autograd.Function):
    """Sums of neighbours that are streamed, and again in the backward pass, which recomputes them."""

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, neighbours: Neighbours) -> Tensor:
        shape = (parameters.shape[0], *neighbours.missing.shape[1:])
        numerator = parameters.new_zeros(shape)
        denominator = (-neighbours.missing).expand(shape).clone()
        for _, shifted, weights in neighbours.stream(parameters):
            g = shifted * (weights * neighbours.sharpness)
            e = torch.exp(g)
            denominator += e.sum(dim=1)
            numerator += e.mul_(g).sum(dim=1)
        return _maxima(ctx, parameters, numerator, denominator, neighbours)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        parameters, c, denominator = ctx.saved_tensors
        neighbours: Neighbours = ctx.neighbours
        scaled = (pixel_unshuffle(grad, neighbours.samples) / denominator)[:, None]
        one_minus_c = (1 - c)[:, None]
        by_offset = parameters.new_zeros(len(parameters), (2 * RADIUS + 1) ** 2, *neighbours.shape)
        for offsets, shifted, weights in neighbours.stream(parameters):
            g = shifted * (weights * neighbours.sharpness)
            e = torch.exp(g)
            by_phase = g.add_(one_minus_c).mul_(e).mul_(scaled)
            by_offset.index_copy_(1, offsets, by_phase.mul_(weights).sum(dim=2))
        return fold(by_offset.flatten(2), neighbours.shape, 2 * RADIUS + 1, padding=RADIUS), None


def _phase_weights(samples: int) -> Tensor:
    """Return the kernel's weights by neighbour offset and phase: (2R+1)^2 x samples^2, 0 beyond the radius."""
    phase = (torch.arange(samples, dtype=torch.float64) + 0.5) / samples - 0.5
    offset = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float64)
    apart = (offset[:, None] - phase[None, :]) ** 2
    distance = (apart[:, None, :, None] + apart[None, :, None, :]).sqrt().round(decimals=SAME)
    weights = torch.where(distance <= RADIUS, kernel_profile(distance), 0)
    return weights.reshape((2 * RADIUS + 1) ** 2, samples**2)


def _rings(weights: Tensor) -> list[tuple[float, list[tuple[int, int, int]]]]:
    """Return the places of each weight but 0, the greatest first: phase, and how far down and right."""
    rings: dict[float, list[tuple[int, int, int]]] = {}
    for offset, of_phases in enumerate(weights.tolist()):
        down, right = divmod(offset, 2 * RADIUS + 1)
        for phase, weight in enumerate(of_phases):
            if weight:
                rings.setdefault(weight, []).append((phase, down - RADIUS, right - RADIUS))
    return sorted(rings.items(), reverse=True)
