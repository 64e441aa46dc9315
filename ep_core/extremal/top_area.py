"""Top area of any saliency map, as smooth masks of the family of a preset's masks (section 3.5).

So that maps are compared fairly with extremal masks: equal areas, equal smoothness, equal sharpness.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.masks.patches import PatchLattice
from ep_core.masks.perturbation import gaussian_blur
from ep_core.masks.smooth import MaskLattice
from ep_core.optimiser.presets import SPATIAL_PRESETS
from ep_core.optimiser.presets.preset import MaskFamily
from ep_core.schemas.specs import Preset

LEVELS = 1e6  # that a map's values are distinguished by
SURROUNDINGS = 2.0  # sigma of what counts as such, in cells
RAMP = 0.02
"""Share of the lattice's cells that a mask's border has parameters between 0 and 1: makes its area continuous."""
TOLERANCE = 1e-4
"""Share of an area that a mask may be off by: scores of small masks differ by as large a share, or some times that."""
MOST_STEPS = 30
CHUNK = 32  # masks smoothed in one batch


@torch.no_grad()
def top_area_masks(
    maps: Tensor, areas: Sequence[float], preset: Preset = "fast", *, patches: tuple[int, int] | None = None
) -> Tensor:
    """Return the smooth masks that hold the top areas of saliency maps, or those of whole patches.

    A map is averaged over the cells of the mask's lattice and its cells are ranked; those above a threshold are the
    parameters of a mask (eq. 7), the threshold being the one that gives the mask its area. Of
    equal cells, those rank higher whose surroundings do; a constant map is ranked from its upper left corner.

    Args:
        maps: T x H x W, higher is more important; only the order of its values counts.
        areas: K shares of the image in (0, 1). Above about 0.98 a mask gets the most that smooth masks hold.
        preset: whose family the masks are of.
        patches: rows and columns of the patches that masks are made of: the nearest count of those that rank highest.
            None: masks are smooth.

    Returns:
        T x K x 1 x H x W in [0, 1], each of the requested mean, to about a 1e-4th of it; of patches, to half a patch.
    """
    size = (maps.shape[1], maps.shape[2])
    if patches is not None:
        ranks = _ranks(_cells(maps.float(), patches))[:, None]
        return torch.stack([PatchLattice(size, patches).top(ranks, [area] * len(maps)) for area in areas], dim=1)
    family = SPATIAL_PRESETS[preset].family
    lattice = MaskLattice(size, samples=family.samples, device=maps.device)
    ranks = _ranks(_cells(maps.float(), lattice.shape))
    wanted = [(rank, min(area, family.largest)) for rank in ranks for area in areas]
    masks = [_at_area(lattice, family, wanted[k : k + CHUNK]) for k in range(0, len(wanted), CHUNK)]
    return torch.cat(masks).view(len(maps), len(areas), 1, *size)


def _cells(maps: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the maps' means over the lattice's cells: T x h x w."""
    return interpolate(maps[:, None], size=shape, mode="area")[:, 0]


def _ranks(cells: Tensor) -> Tensor:
    """Return each cell's place from the bottom, in (0, 1]: T x h x w.

    Where cells are equal, those are higher whose surroundings are: the middle of a plateau comes before its border.
    """
    low, high = cells.amin(dim=(1, 2), keepdim=True), cells.amax(dim=(1, 2), keepdim=True)
    values = ((cells - low) / (high - low).clamp_min(1e-30) * LEVELS).round()  # equal, where only rounding differs
    surroundings = gaussian_blur(values[:, None], SURROUNDINGS).flatten(1)
    by_surroundings = surroundings.argsort(dim=1, descending=True, stable=True)
    then_by_value = values.flatten(1).gather(1, by_surroundings).argsort(dim=1, descending=True, stable=True)
    places = by_surroundings.gather(1, then_by_value).argsort(dim=1)
    return (1 - places / places.shape[1]).view(cells.shape)


def _at_area(lattice: MaskLattice, family: MaskFamily, wanted: Sequence[tuple[Tensor, float]]) -> Tensor:
    """Return the masks (N x 1 x H x W) of ranks (h x w) at areas, each threshold found by regula falsi (Illinois)."""
    ranks = torch.stack([rank for rank, _ in wanted])[:, None]
    areas = ranks.new_tensor([area for _, area in wanted]).view(-1, 1, 1, 1)
    low, high = torch.full_like(areas, -RAMP), torch.ones_like(areas)  # the largest and the smallest mask
    excess_low, excess_high = family.largest - areas + TOLERANCE, -areas
    masks = ranks.new_empty(len(wanted), 1, *lattice.size)
    off = torch.arange(len(wanted), device=ranks.device)  # those that are still to be moved
    for _ in range(MOST_STEPS):
        threshold = high - excess_high * (high - low) / (excess_high - excess_low)
        masks[off] = _smoothed(lattice, family, ((ranks[off] - threshold[off]) / RAMP).clamp(0, 1))
        excess = masks.mean(dim=(1, 2, 3), keepdim=True) - areas
        off = (excess.abs() >= TOLERANCE * areas).flatten().nonzero().flatten()
        if not len(off):
            break
        too_large = excess > 0
        # The end that stays is given half its weight, or it might stay for ever.
        excess_low = torch.where(too_large, excess, excess_low / 2)
        excess_high = torch.where(too_large, excess_high / 2, excess)
        low, high = torch.where(too_large, threshold, low), torch.where(too_large, high, threshold)
    return masks


def _smoothed(lattice: MaskLattice, family: MaskFamily, parameters: Tensor) -> Tensor:
    """Return the masks of a family (N x 1 x H x W) that parameters (N x 1 x h x w) mean."""
    if family.contrast is None:
        return lattice.smooth(parameters)
    return lattice.smooth(parameters, parameters.new_full((len(parameters), 1, 1, 1), family.contrast))
