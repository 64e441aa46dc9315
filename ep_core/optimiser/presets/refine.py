"""Refinement: masks that hold their area, from given starts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.masks.patches import PatchLattice
from ep_core.optimiser.lanes import Lane

from .fast import SLOPES, FastRule

HOLD = 0.5  # times the iterations per area: the steps of a lane


def steps(iterations: int) -> int:
    """Return the steps of a lane, of so many iterations per area."""
    return max(1, int(HOLD * iterations))


class RefineRule(FastRule):
    """Maximise the objective on masks of exactly the wanted area, from given starts."""

    learning_rate = 0.05
    """Small: a lane stays near its start, where many walks agree, and scores more at the end than with longer steps."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        size: tuple[int, int],
        device: torch.device,
        starts: Tensor,
        *,
        patches: PatchLattice | None = None,
    ) -> None:
        """Start all lanes.

        Args:
            lanes: what is optimised; they arrive at step 0.
            size: height and width of the masks, in pixels.
            device: where all of it lives.
            starts: lanes x H x W, any values: a mask starts as the top area of its map (`parameters`).
            patches: as for `FastRule`.
        """
        super().__init__(lanes, size, device, patches=patches)
        cells = interpolate(starts[:, None], size=self._lattice.shape, mode="area")
        areas = [lane.area for lane in lanes]
        self._theta = torch.cat([_parameters(one, area) for one, area in zip(cells, areas, strict=True)])
        self._shift = self._shift_to(self._area, SLOPES[0], self._theta, self._contrast)


def _parameters(cells: Tensor, area: float) -> Tensor:
    """Return the parameters of a mask that holds the top area of a map: 1 x 1 x h x w in [-1, 1].

    Zero at the value that the area's share of the cells exceeds, and one a standard deviation above it.
    """
    middle = cells.flatten().quantile(1 - area)
    spread = cells.std().clamp_min(1e-12)
    return ((cells - middle) / spread).clamp(-1, 1)[None]
