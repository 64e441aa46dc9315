"""TorchRay's smooth masks by an equivalent formula that streams them, so that its optimisation ends sooner.

TorchRay's generator spreads every parameter to 81 full-size maps, which takes most of its time. A benchmark of the
masks' quality, not of their seconds, may replace it: the rest of TorchRay runs unchanged. Written from the formula;
`differences` measures that the two are equal.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad, pixel_shuffle


def streamed_generator(original: type[Any]) -> type[Any]:
    """Return a subclass of TorchRay's `MaskGenerator` whose masks are streamed."""

    class Streamed(original):
        """Smooth maximum over a window of neighbours, weighted by the distance, one neighbour after the other."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            step = int(self.step)
            self.by_phase = self.weight[0, :, :step, :step].reshape(-1, step * step, 1, 1).clone()

        def generate(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
            """Return the mask of the image's size, and the one with its margin."""
            cells = (self.shape_mid[0], self.shape_mid[1])
            values = _StreamedSmoothMaximum.apply(parameters, self.by_phase, self.padding, cells, self.coldness)
            height, width = self.shape_out
            mask = pixel_shuffle(values, int(self.step))[:, :, :height, :width].clamp(0, 1)
            margin = round(self.margin)
            return mask[:, :, margin : margin + self.shape[0], margin : margin + self.shape[1]], mask

    return Streamed


def differences(original: type[Any], size: tuple[int, int]) -> tuple[float, float]:
    """Return how far streamed masks and their gradients are from the original's, on random parameters.

    The first is absolute (masks lie in [0, 1]), the second relative to the largest gradient.
    """
    generators = [kind(size, 7, 21) for kind in (original, streamed_generator(original))]
    source = torch.Generator().manual_seed(0)
    parameters = torch.rand(1, 1, *generators[0].shape_in, generator=source).requires_grad_()
    masks = [generator.generate(parameters)[1] for generator in generators]
    cotangent = torch.rand(masks[0].shape, generator=source)
    gradients = [torch.autograd.grad((mask * cotangent).sum(), parameters)[0] for mask in masks]
    apart = (gradients[0] - gradients[1]).abs().max() / gradients[0].abs().max()
    return float((masks[0] - masks[1]).abs().max()), float(apart)


class _StreamedSmoothMaximum(torch.autograd.Function):
    """``sum_j f_j e^{c f_j} / sum_j e^{c f_j}`` over a window's neighbours, ``f_j = weight_j p_j``; zeros outside."""

    @staticmethod
    def forward(
        ctx: Any, parameters: Tensor, weights: Tensor, padding: int, cells: tuple[int, int], coldness: float
    ) -> Tensor:
        padded = pad(parameters, (padding,) * 4)
        side = round(len(weights) ** 0.5)
        numerator = parameters.new_zeros(len(parameters), weights.shape[1], *cells)
        denominator, g, e = (torch.zeros_like(numerator) for _ in range(3))
        for down, right, weight in _window(weights, side):
            torch.mul(padded[:, :, down : down + cells[0], right : right + cells[1]], weight * coldness, out=g)
            torch.exp(g, out=e)
            denominator += e
            numerator.addcmul_(g, e)
        mean = numerator.div_(denominator)
        ctx.save_for_backward(padded, weights, mean, denominator)
        ctx.layout = (padding, cells, coldness, side)
        return mean / coldness

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None, None]:
        padded, weights, mean, denominator = ctx.saved_tensors
        padding, cells, coldness, side = ctx.layout
        scaled, one_minus_mean = grad / denominator, 1 - mean
        total = torch.zeros_like(padded)
        g, e = torch.empty_like(scaled), torch.empty_like(scaled)
        for down, right, weight in _window(weights, side):
            rows, columns = slice(down, down + cells[0]), slice(right, right + cells[1])
            torch.mul(padded[:, :, rows, columns], weight * coldness, out=g)
            torch.exp(g, out=e)
            g.add_(one_minus_mean).mul_(e).mul_(scaled)
            total[:, 0, rows, columns] += torch.matmul(weight.view(1, -1), g.flatten(2)).view(-1, *cells)
        return total[:, :, padding:-padding, padding:-padding], None, None, None, None


def _window(weights: Tensor, side: int) -> list[tuple[int, int, Tensor]]:
    return [(*divmod(k, side), weight) for k, weight in enumerate(weights)]
