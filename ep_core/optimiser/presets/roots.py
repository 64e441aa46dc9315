"""Roots of many increasing functions at once, for the shifts that give masks their areas."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

MOST_EVALUATIONS = 64  # bisection alone would take half of them
NARROW = 2.5e-7  # times a root, or 1: the width of a bracket that single precision hardly divides

Function = Callable[[Tensor], Tensor]


@torch.no_grad()
def roots(function: Function, low: Tensor, high: Tensor, at_low: Tensor, at_high: Tensor, *, close: float) -> Tensor:
    """Return where functions cross zero, by Chandrupatla's method (1997): a third of the evaluations of bisection.

    Each step interpolates inversely by a parabola where three points allow it, and bisects otherwise. A root that is
    found stays as it is, so that none depends on the others.

    Args:
        function: maps a tensor of points to the values there, of the same shape, each increasing in its own point.
        low, high: the brackets' ends. Where a function doesn't cross zero between them, the nearer end is approached.
        at_low, at_high: its values there, or estimates of the same sign; below and above 0.
        close: the largest value that counts as zero.
    """
    newest, value, other, value_there = high, at_high, low, at_low
    share = torch.full_like(low, 0.5)
    found, is_found = low, torch.zeros_like(low, dtype=torch.bool)
    for _ in range(MOST_EVALUATIONS):
        point = newest + share * (other - newest)
        here = function(point)
        stays = (here > 0) == (value > 0)
        third, value_third = torch.where(stays, newest, other), torch.where(stays, value, value_there)
        other, value_there = torch.where(stays, other, newest), torch.where(stays, value_there, value)
        newest, value = point, here
        nearest = torch.where(value.abs() < value_there.abs(), newest, other)
        found = torch.where(is_found, found, nearest)
        width, narrow = (other - newest).abs(), NARROW * nearest.abs().clamp_min(1)
        is_found |= (torch.minimum(value.abs(), value_there.abs()) <= close) | (width <= narrow)
        if is_found.all():
            break
        share = _share(newest, value, other, value_there, third, value_third)
        least = narrow / (2 * torch.maximum(width, narrow))
        share = torch.minimum(torch.maximum(share, least), 1 - least)
    return found


def _share(a: Tensor, fa: Tensor, b: Tensor, fb: Tensor, c: Tensor, fc: Tensor) -> Tensor:
    """Return how far from a to b the next point is: inverse quadratic interpolation where that is safe, else 1/2."""
    xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
    is_safe = (phi.square() < xi) & ((1 - phi).square() < 1 - xi)
    inverse = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return torch.where(is_safe & inverse.isfinite(), inverse, 0.5)
