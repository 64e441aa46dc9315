"""Presets of channel masks (section 5): m in [0, 1]^K, one value per channel, broadcast over space."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ep_core.masks.area import area_pixels
from ep_core.masks.layout import MaskLayout
from ep_core.optimiser.lanes import Lane
from ep_core.schemas.specs import Preset, Variant

from .preset import AREAS_BY_PENALTY, AREAS_HELD, ChannelPreset
from .ranked import RankedRule
from .rule import Batch, Rule

LAMBDA = 1500.0  # reached after half of the iterations
SEARCHING = 2 / 3  # of the iterations of `fast`; the others try swaps
MEMORY = 0.8  # of the running mean of gradients
FIRST_SWAPS = 4  # a quarter of the channels at first


def channel_lanes(
    counts: Sequence[int], channels: int, *, target: int, variant: Variant, iterations: int
) -> list[Lane]:
    """Return a lane for each count of a layer's channels, all of one image."""
    return [Lane(0, target, count / channels, variant, end=iterations) for count in counts]


class PaperChannels(RankedRule):
    """Maximise ``Phi_l+(m x) - lambda R_a(m)`` (eq. 9), from all channels.

    The optimiser, which section 5 doesn't name, is section 4's: SGD with momentum 0.9.
    """

    layout = MaskLayout.CHANNEL
    learning_rate = 0.01

    def __init__(self, lanes: Sequence[Lane], channels: int, device: torch.device) -> None:
        """Start all lanes."""
        super().__init__(lanes, (channels, 1, 1), channels, device)

    def masks_of(self, parameters: Tensor) -> Tensor:
        """Return the parameters, which are the masks: lanes x K x 1 x 1."""
        return parameters

    def area_weight(self, steps: Tensor, iterations: Tensor) -> Tensor:
        """Return lambda at each step: it rises evenly to 1500 over the first half of the iterations."""
        return LAMBDA * (2 * steps / iterations).clamp_max(1)


class FastChannels(Rule):
    """Choose exactly so many channels: binary masks throughout.

    First the mask is where a running mean of the gradient is largest (iterative hard thresholding), starting from all
    channels. Then channels are swapped, those whose loss costs least for those whose gain pays most, by the gradient
    at the best mask so far: a quarter of them at first, half as many each time that the score doesn't rise, and at
    last single ones, down the list.
    """

    layout = MaskLayout.CHANNEL
    state = (
        *Rule.state,
        *("_counts", "_search", "_candidate", "_mean"),
        *("_best", "_best_gradient", "_best_value", "_swaps", "_skipped"),
    )

    def __init__(self, lanes: Sequence[Lane], channels: int, device: torch.device) -> None:
        """Start all lanes from all channels."""
        super().__init__(lanes, device)
        counts = [area_pixels(lane.area, channels) for lane in lanes]
        self._counts = torch.tensor(counts, device=device)[:, None]
        self._search = torch.tensor([math.ceil(SEARCHING * lane.end) for lane in lanes], device=device)[:, None]
        self._candidate = torch.ones(len(lanes), channels, device=device)
        self._mean = torch.zeros_like(self._candidate)
        self._best = torch.ones_like(self._candidate)
        self._best_gradient = torch.zeros_like(self._candidate)
        self._best_value = torch.full((len(lanes), 1), -math.inf, device=device)
        self._swaps = (self._counts // FIRST_SWAPS).clamp_min(1)
        self._skipped = torch.zeros_like(self._swaps)

    def step(self, batch: Batch) -> None:
        """Score the candidates, keep what is better, and choose the next ones."""
        index, counts = batch.index, self._counts[batch.index]
        taken = self.taken[index]
        candidate = self._candidate[index]
        masks = candidate[:, :, None, None].requires_grad_()
        values = batch.objective(masks)
        gradient = torch.autograd.grad(values.sum(), masks)[0][:, :, 0, 0]
        value = values.detach()[:, None]

        size = gradient.abs().mean(dim=1, keepdim=True).clamp_min(1e-12)
        mean = MEMORY * self._mean[index] + (1 - MEMORY) * gradient / size
        better = (value > self._best_value[index]) & (candidate.sum(dim=1, keepdim=True) == counts)
        best = torch.where(better, candidate, self._best[index])
        best_gradient = torch.where(better, gradient, self._best_gradient[index])
        best_value = torch.where(better, value, self._best_value[index])
        searching = taken[:, None] < self._search[index]
        failed = ~better & ~searching
        swaps, skipped = self._swaps[index], self._skipped[index]
        single = swaps == 1
        skipped = torch.where(better, 0, skipped + (failed & single))
        swaps = torch.where(failed & ~single, swaps // 2, swaps)
        searched = (_ranks(mean) < counts).float()
        chosen = torch.where(searching, searched, _swapped(best, best_gradient, swaps, skipped))
        for rows, moved in (
            (self._candidate, chosen),
            (self._mean, mean),
            (self._best, best),
            (self._best_gradient, best_gradient),
            (self._best_value, best_value),
            (self._swaps, swaps),
            (self._skipped, skipped),
            (self.values, torch.maximum(value, best_value)[:, 0]),
            (self.areas, candidate.mean(dim=1)),
            (self.taken, taken + 1),
        ):
            rows.index_copy_(0, index, moved)

    def masks(self, rows: Sequence[int]) -> Tensor:
        """Return the best masks so far: rows x K x 1 x 1, of ones and zeros, with the requested number of ones."""
        index = list(rows)
        scored = torch.isfinite(self._best_value[index])  # after a single step, only the candidate has the count
        return torch.where(scored, self._best[index], self._candidate[index])[:, :, None, None]


def _swapped(masks: Tensor, gradient: Tensor, swaps: Tensor, skipped: Tensor) -> Tensor:
    """Return the masks (lanes x K) with some channels swapped, the `skipped` most promising newcomers left out."""
    kept = masks > 0
    ahead = _ranks(torch.where(kept, -math.inf, gradient))
    added = ~kept & (ahead >= skipped) & (ahead < skipped + swaps)
    weakest = _ranks(torch.where(kept, -gradient, -math.inf))
    removed = kept & (weakest < added.sum(dim=1, keepdim=True))
    return (kept & ~removed | added).float()


def _ranks(scores: Tensor) -> Tensor:
    """Return each value's place in its row, 0 for the largest; of equal ones the first comes first."""
    return scores.argsort(dim=1, descending=True, stable=True).argsort(dim=1)


CHANNEL_PRESETS: dict[Preset, ChannelPreset] = {
    "fast": ChannelPreset(name="fast", iterations=60, promise=AREAS_HELD, rule=FastChannels, cosine_power=2.0),
    "paper": ChannelPreset(
        name="paper", iterations=300, promise=AREAS_BY_PENALTY, rule=PaperChannels, cosine_power=0.0
    ),
}
