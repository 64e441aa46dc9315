"""`preset: "paper"`: the optimisation of section 4, "Implementation details"."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from ep_core.masks.layout import MaskLayout
from ep_core.masks.patches import PatchLattice
from ep_core.masks.smooth import MaskLattice
from ep_core.optimiser.lanes import Lane

from .preset import AREAS_BY_PENALTY, MaskFamily, SpatialPreset
from .ranked import RankedRule

LAMBDA = 300.0  # doubled at 1/3 and at 2/3 of the iterations


class PaperRule(RankedRule):
    """Maximise ``Phi - lambda R_a`` (eq. 4) over smooth masks."""

    layout = MaskLayout.SPATIAL
    learning_rate = 0.003
    """The paper names none. Larger ones meet the area before the score had a say: docs/engine.md, measured."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        size: tuple[int, int],
        device: torch.device,
        *,
        patches: PatchLattice | None = None,
    ) -> None:
        """Start all lanes at all-ones parameters (everything preserved); its masks are smooth, never of patches."""
        if patches is not None:
            raise ValueError("masks of the preset 'paper' are smooth")
        self._lattice = MaskLattice(size, device=device)
        super().__init__(lanes, (1, *self._lattice.shape), size[0] * size[1], device)

    @property
    def kind(self) -> Hashable:
        """As for `Rule`; masks are made alike, too."""
        return super().kind, self._lattice.kind

    def masks_of(self, parameters: Tensor) -> Tensor:
        """Return smooth masks: lanes x 1 x H x W."""
        return self._lattice.smooth(parameters)

    def area_weight(self, steps: Tensor, iterations: Tensor) -> Tensor:
        """Return lambda at each step."""
        return area_weight(steps, iterations)


def area_weight(steps: Tensor, iterations: Tensor) -> Tensor:
    """Return lambda at each step of so many: 300, doubled at 1/3 and at 2/3 of the iterations."""
    return LAMBDA * 2 ** ((3 * steps >= iterations).float() + (3 * steps >= 2 * iterations).float())


PAPER = SpatialPreset(
    name="paper",
    iterations=1600,
    promise=AREAS_BY_PENALTY,
    rule=PaperRule,
    hold=1.0,
    family=MaskFamily(samples=None, contrast=None, largest=1.0),
    stops_early=False,
    moves_starts=False,
)
