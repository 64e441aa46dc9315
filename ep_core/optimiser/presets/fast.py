"""`preset: "fast"`: masks that hold their area exactly, moved by Adam. Ours, not the paper's.

The lattice parameters are ``sigmoid(beta (theta + b))``. The shift b holds the mask's area at a schedule that falls
from the whole image to the wanted area, so that the score decides what goes first: a mask that starts small sees
nothing but blur. Then the area is held, while the slope beta rises, which makes the mask binary, and the steps shorten.

Smooth masks are sharpened (`mask.sharpened`), so that their borders are a quarter as wide; one that is still greyer
than it should be, because its border is long, is sharpened further while its area is held, by no more than needed.

With the area held, no weight lambda is needed: a step moves along the constraint, its gradient being
``g - a' (sum g) / (sum a')``, where a' is the gradient of the area (the implicit derivative of b).

A lane by itself does both, the fall and the hold: that is what `independent: true` asks for (figure 5). A sweep divides
the two: walks that only fall (`presets.walk`), and lanes that only hold, from where the walks agree (`presets.refine`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from fractions import Fraction
from typing import ClassVar

import torch
from torch import Tensor

from ep_core.masks.layout import MaskLayout
from ep_core.masks.patches import PatchLattice
from ep_core.masks.smooth import MaskLattice
from ep_core.optimiser.lanes import Lane

from .preset import AREAS_HELD, MaskFamily, SpatialPreset
from .roots import roots
from .rule import Batch, Rule

FIRST_SPREAD = 0.3  # of the parameters that a walk starts from
LARGEST_AREA = 0.98  # what smooth masks can hold
SLOPES = (1.0, 1.8)
FARTHEST_LOGIT = 1.5
"""How far theta + b may be from 0: a cell that is farther than that from its turn would never come back."""
BETAS = (0.8, 0.99)
COMMON = 0.5
"""Share of Adam's divisor that is the gradient's size over all cells, not the cell's own: where the network doesn't
look, a cell's own size is mere rounding, and dividing by it makes steps of that."""
SAMPLES = 2  # per lattice step
MOST_SHIFT = 0.5  # per step, where the area's slope is too flat to trust
BINARINESS = 0.046  # mean m(1-m), above which a mask is sharpened while its area is held
SHARPENING = 0.3  # of the excess, in a step
CONTRASTS = (4.0, 10.0)
MOST_BINARINESS, LAST_SHARPENINGS, LAST_SHARPENING = 0.0498, 30, 1.1  # of the final masks
MOST_CONTRAST = 100.0  # beyond some 120, a half to that power is 0, and 0 / 0 is no mask
SEARCHED = 16.0  # beyond the largest parameter: where a shift may be found
EXACT = 1e-7  # share of the image by which an area may be missed
MOST_SECANTS, CLOSE = 8, 1e-5  # how a shift follows a sharpening: steps, and how far from its area a mask may stay
PROBE, LEAST_MOVE, LEAST_RISE = 0.01, 1e-3, 1e-3  # of a shift, to see how the area rises with it


class FastRule(Rule):
    """Maximise the objective on masks of exactly the scheduled area."""

    layout = MaskLayout.SPATIAL
    state = (
        *Rule.state,
        *("_area", "_arrival", "_hold", "_theta", "_first_moment", "_second_moment", "_contrast", "_shift"),
    )
    learning_rate: ClassVar[float] = 0.25

    def __init__(
        self,
        lanes: Sequence[Lane],
        size: tuple[int, int],
        device: torch.device,
        *,
        step: Fraction | None = None,
        patches: PatchLattice | None = None,
    ) -> None:
        """Start all lanes at nearly everything preserved, with parameters drawn by their seeds.

        Args:
            lanes: what is optimised.
            size: height and width of the masks, in pixels.
            device: where all of it lives.
            step: pixels per lattice step; None takes the frame's own.
            patches: those that masks are made of; None: they are smooth.
        """
        super().__init__(lanes, device)
        self._lattice: MaskLattice | PatchLattice
        if patches is None:
            self._lattice = MaskLattice(size, step=step, samples=SAMPLES, device=device)
            self._largest = LARGEST_AREA
        else:
            self._lattice = patches
            self._largest = LARGEST_AREA * patches.largest
        self._pixels = size[0] * size[1]
        self._area = self._per_lane([lane.area for lane in lanes])
        self._arrival = self._per_lane([lane.arrival for lane in lanes])
        self._hold = self._per_lane([max(1, lane.end - lane.arrival) for lane in lanes])
        shape = (len(lanes), 1, *self._lattice.shape)
        self._theta = torch.cat([_drawn(shape[1:], lane.seed) for lane in lanes]).to(device)
        self._first_moment = torch.zeros(shape, device=device)
        self._second_moment = torch.zeros(shape, device=device)
        self._contrast = torch.full((len(lanes), 1, 1, 1), CONTRASTS[0], device=device)
        self._shift = self._shift_to(self._largest, SLOPES[0], self._theta, self._contrast)

    @property
    def kind(self) -> Hashable:
        """As for `Rule`; masks are made alike, too."""
        return super().kind, self._lattice.kind

    def step(self, batch: Batch) -> None:
        """Move the lanes by one step of Adam, then the shift by one step of Newton towards the next area."""
        index = batch.index
        taken = self.taken[index].view(-1, 1, 1, 1)
        held = self._held(index)
        slope = _slope(held)
        theta, shift = self._theta[index], self._shift[index]
        parameters = torch.sigmoid(slope * (theta + shift)).requires_grad_()
        contrast = self._contrast[index]
        masks = self._lattice.smooth(parameters, contrast)
        values = batch.objective(masks)
        inner = slope * (parameters * (1 - parameters)).detach()
        gradient = inner * torch.autograd.grad(values.sum(), parameters, retain_graph=True)[0]
        area_gradient = inner * torch.autograd.grad(masks.sum(), parameters)[0] / self._pixels
        area_slope = _total(area_gradient).clamp_min(1e-9)
        gradient = gradient - area_gradient * _total(gradient) / area_slope

        first = BETAS[0] * self._first_moment[index] + (1 - BETAS[0]) * gradient
        second = BETAS[1] * self._second_moment[index] + (1 - BETAS[1]) * gradient.square()
        rate = self.learning_rate * 0.5 * (1 + torch.cos(math.pi * held))
        sizes = _unbiased(second, BETAS[1], taken)
        sizes = (1 - COMMON) * sizes.sqrt() + COMMON * _mean(sizes).sqrt() + 1e-12
        move = rate * _unbiased(first, BETAS[0], taken) / sizes
        areas = _mean(masks.detach())
        excess = areas + _total(area_gradient * move) - self._area_at(index, taken + 1)
        correction = (excess / area_slope).clamp_(-MOST_SHIFT, MOST_SHIFT)
        grey = _mean((masks * (1 - masks)).detach())
        sharper = (contrast * (1 + SHARPENING * (grey / BINARINESS - 1))).clamp_(*CONTRASTS)
        for rows, moved in (
            (self._theta, (theta + move + shift).clamp_(-FARTHEST_LOGIT, FARTHEST_LOGIT) - shift),
            (self._shift, shift - correction),
            (self._contrast, torch.where(held > 0, sharper, contrast)),
            (self._first_moment, first),
            (self._second_moment, second),
            (self.values, values.detach()),
            (self.areas, areas.flatten()),
            (self.taken, taken.flatten() + 1),
        ):
            rows.index_copy_(0, index, moved)
        self._look(index, masks.detach(), values.detach())

    def _look(self, index: Tensor, masks: Tensor, values: Tensor) -> None:
        """Look at the masks of a step and at what their objective was; for rules that remember them."""

    def _held(self, index: Tensor | list[int]) -> Tensor:
        """Return how much of the steps at their own area the lanes have behind them: 0 to 1."""
        taken = self.taken[index].view(-1, 1, 1, 1)
        return ((taken - self._arrival[index]) / self._hold[index]).clamp_(0, 1)

    def _area_at(self, index: Tensor, step: Tensor) -> Tensor:
        """Return the area held at a step: an even fall from 1 to the lane's area, then constant."""
        wanted = self._area[index]
        fallen = 1 - (1 - wanted) * step / self._arrival[index]
        return torch.maximum(wanted, fallen).clamp_max_(self._largest)

    @torch.no_grad()
    def masks(self, rows: Sequence[int]) -> Tensor:
        """Return the masks at exactly the lanes' areas.

        Above about 0.98 a lane gets the most that smooth masks hold: all ones, smoothed, are not quite 1 (eq. 7).
        """
        index = list(rows)
        area, theta, contrast = self._area[index], self._theta[index], self._contrast[index]
        if isinstance(self._lattice, PatchLattice):
            return self._lattice.top(theta, [self.lanes[k].area for k in rows])
        slope = _slope(self._held(index))  # not the last one: a lane may have stopped early, optimised for this one
        shift = self._shift_to(area, slope, theta, contrast)
        masks = self._masks_at(theta + shift, slope, contrast)
        grey = _greyness(masks) > MOST_BINARINESS
        if not grey.any():
            return masks
        further = self._masks_at(theta + shift + PROBE, slope, contrast)
        rise = ((_mean(further) - _mean(masks)) / PROBE).clamp_min(LEAST_RISE)
        for _ in range(LAST_SHARPENINGS - 1):
            contrast = torch.where(grey, (contrast * LAST_SHARPENING).clamp_max(MOST_CONTRAST), contrast)
            shift, rise, masks = self._follow(area, slope, theta, contrast, shift, rise, grey)
            grey &= _greyness(masks) > MOST_BINARINESS
            if not grey.any():
                break
        return self._masks_at(theta + self._shift_to(area, slope, theta, contrast), slope, contrast)

    def _follow(
        self, area: Tensor, slope: Tensor, theta: Tensor, contrast: Tensor, shift: Tensor, rise: Tensor, moving: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the shift that holds the areas of the `moving` masks after a sharpening, their rise, and all masks.

        Secants hold them closely enough to see how grey masks are, by fewer masks than `_shift_to`.
        """
        masks = self._masks_at(theta + shift, slope, contrast)
        for _ in range(MOST_SECANTS):
            missing = area - _mean(masks)
            off = moving & (missing.abs() > CLOSE)
            if not off.any():
                break
            move = torch.where(off, (missing / rise).clamp(-MOST_SHIFT, MOST_SHIFT), 0)
            shift = shift + move
            masks = self._masks_at(theta + shift, slope, contrast)
            gained = missing - (area - _mean(masks))
            rise = torch.where(move.abs() > LEAST_MOVE, gained / move, rise).clamp_min(LEAST_RISE)
        return shift, rise, masks

    @torch.no_grad()
    def previews(self, rows: Sequence[int]) -> Tensor:
        """Return the masks as the next step will take them, of about their scheduled areas."""
        index = list(rows)
        logits = self._theta[index] + self._shift[index]
        return self._masks_at(logits, _slope(self._held(index)), self._contrast[index])

    @torch.no_grad()
    def _shift_to(self, area: Tensor | float, slope: Tensor | float, theta: Tensor, contrast: Tensor) -> Tensor:
        """Return the shifts that give masks an area."""
        high = theta.abs().amax(dim=(1, 2, 3), keepdim=True) + SEARCHED  # all of a mask is there, and nothing at -high
        wanted = torch.as_tensor(area).to(high).expand_as(high)

        def excess(shift: Tensor) -> Tensor:
            return _mean(self._masks_at(theta + shift, slope, contrast)) - wanted

        return roots(excess, -high, high, -wanted, (1 - wanted).clamp_min(CLOSE), close=EXACT)

    def _masks_at(self, logits: Tensor, slope: Tensor | float, contrast: Tensor) -> Tensor:
        return self._lattice.smooth(torch.sigmoid(slope * logits), contrast)


def _drawn(shape: tuple[int, ...], seed: int) -> Tensor:
    """Return the parameters that a walk starts from: 1 x ..., the same on every device."""
    return FIRST_SPREAD * torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))


def _slope(held: Tensor) -> Tensor:
    """Return beta, which rises geometrically while the area is held."""
    return SLOPES[0] * (SLOPES[1] / SLOPES[0]) ** held


def _unbiased(moment: Tensor, beta: float, taken: Tensor) -> Tensor:
    """Return Adam's moment without its pull towards the zeros that it starts from."""
    return moment / (1 - beta ** (taken + 1))


def _mean(per_pixel: Tensor) -> Tensor:
    """Return the mean of each mask: K x 1 x 1 x 1."""
    return _total(per_pixel) / (per_pixel.shape[2] * per_pixel.shape[3])


def _greyness(masks: Tensor) -> Tensor:
    """Return the mean of m(1-m) of each mask: K x 1 x 1 x 1."""
    return _mean(masks * (1 - masks))


def _total(per_pixel: Tensor) -> Tensor:
    """Return the sum of each mask: K x 1 x 1 x 1, row by row, since a single long sum is split among threads."""
    return per_pixel.sum(dim=3, keepdim=True).sum(dim=2, keepdim=True)


FAST = SpatialPreset(
    name="fast",
    iterations=100,
    promise=AREAS_HELD,
    rule=FastRule,
    hold=0.2,
    family=MaskFamily(samples=SAMPLES, contrast=CONTRASTS[0], largest=LARGEST_AREA),
    stops_early=True,
    moves_starts=True,
)
