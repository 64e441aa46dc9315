"""Extremality of a mask: whether others of its area score higher: other methods' top areas, and random smooth masks.

By definition (eq. 2) none may. Rivals can't prove a mask extremal, but one that beats it proves that it is not. That
holds for masks of one family and of equal areas: rivals are smoothed as our preset's masks are, and have the area that
our mask turned out to have, which `paper` meets only nearly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ep_core.masks.perturbation import gaussian_blur
from ep_core.masks.scores import ClassScores, masked_scores
from ep_core.schemas.reports.extremal import CurvePoint, Extremality, ExtremalityPoint
from ep_core.schemas.specs import Preset, Variant

from .top_area import top_area_masks

RANDOM = "random"
OWN = "walks"
"""Origin of a mask that no rival led to."""
TOLERANCE = 1e-3
"""By how much a rival must score higher to beat a mask, as a share of the mask's score (or of 1, where that is less):
what areas that are equal to a 1e-4th of them and sums in another order may differ by."""
ROUGHNESS = 1 / 12
"""Blur of the noise that random masks are the top areas of, as a share of the frame's shorter side."""


@dataclass(frozen=True)
class Rivals:
    """Masks of the same areas as the ones that are checked, and of their family."""

    names: tuple[str, ...]
    """R names: a method's, or `RANDOM`."""
    masks: Tensor
    """R x K x 1 x H x W in [0, 1]."""

    @property
    def areas(self) -> Tensor:
        """Their means: R x K, on the CPU."""
        return self.masks.mean(dim=(2, 3, 4)).cpu()


def rivals_of(
    methods: Sequence[str],
    maps: Tensor,
    curve: Sequence[CurvePoint],
    *,
    preset: Preset,
    random: int,
    seed: int,
    patches: tuple[int, int] | None = None,
) -> Rivals:
    """Return the top areas of other methods' maps and so many random masks as rivals of a sweep's masks.

    Args:
        methods: M names.
        maps: M x H x W, higher is more important.
        curve: of the K masks: rivals have their measured areas.
        preset: of the masks: rivals are of its family.
        random: how many random masks.
        seed: draws them.
        patches: as for `top_area_masks`.
    """
    height, width = maps.shape[1:]
    noise = random_maps((height, width), count=random, seed=seed).to(maps.device)
    areas = [point.measured_area for point in curve]
    return Rivals(
        (*methods, *[RANDOM] * random), top_area_masks(torch.cat([maps, noise]), areas, preset, patches=patches)
    )


def random_maps(size: tuple[int, int], *, count: int, seed: int) -> Tensor:
    """Return smooth noise, whose top areas are random smooth masks: count x H x W, on the CPU."""
    noise = torch.randn(count, 1, *size, generator=torch.Generator().manual_seed(seed))
    return gaussian_blur(noise, ROUGHNESS * min(size))[:, 0]


@torch.no_grad()
def objective_values(scores: ClassScores, masks: Tensor, target: int, variant: Variant) -> Tensor:
    """Return the objective of a variant at each mask: Phi(m x), -Phi((1-m) x), or their sum (3.2).

    Args:
        scores: of the image under masks.
        masks: ... x 1 x H x W in [0, 1].
        target: class index.
        variant: what is maximised.

    Returns:
        ..., on the CPU.
    """
    flat = masks.flatten(0, -4)
    values = flat.new_zeros(len(flat))
    if variant != "delete":
        values = values + masked_scores(scores, flat)[:, target]
    if variant != "preserve":
        values = values - masked_scores(scores, 1 - flat)[:, target]
    return values.view(masks.shape[:-3]).cpu()


def objective_at(point: CurvePoint, variant: Variant) -> float:
    """Return the objective of a variant at a mask whose scores are known: as `objective_values`."""
    return {"preserve": point.preserve, "delete": -point.delete, "hybrid": point.preserve - point.delete}[variant]


def beats(value: float, own: float) -> bool:
    """Return whether a rival's value is above our mask's by more than `TOLERANCE`, of our value or of 1."""
    return value - own > TOLERANCE * max(1.0, abs(own))


def check_extremality(
    curve: Sequence[CurvePoint], variant: Variant, rivals: Rivals, values: Tensor, found_by: Sequence[str] = ()
) -> Extremality:
    """Compare the objectives of a sweep's masks with those of their rivals.

    Args:
        curve: of the sweep's masks.
        variant: what is compared: Phi(m x), -Phi((1-m) x), or their sum (3.2).
        rivals: of the curve's measured areas, in its order.
        values: R x K, what the rivals score (`objective_values`).
        found_by: where each of the sweep's masks was found; empty: all by the sweep itself.
    """
    origins = found_by or [OWN] * len(curve)
    points = [
        _point(point, variant, rivals.names, column, areas, origin)
        for point, column, areas, origin in zip(curve, values.T.tolist(), rivals.areas.T.tolist(), origins, strict=True)
    ]
    return Extremality(
        extremal=all(point.rank == 1 for point in points),
        methods=[name for name in rivals.names if name != RANDOM],
        random_masks=rivals.names.count(RANDOM),
        tolerance=TOLERANCE,
        points=points,
    )


def _point(
    point: CurvePoint,
    variant: Variant,
    names: Sequence[str],
    values: Sequence[float],
    areas: Sequence[float],
    found_by: str,
) -> ExtremalityPoint:
    own = objective_at(point, variant)
    higher = sorted(
        ((value, name) for name, value in zip(names, values, strict=True) if beats(value, own)), reverse=True
    )
    best, best_name, best_area = max(zip(values, names, areas, strict=True))
    return ExtremalityPoint(
        area=point.area,
        measured_area=point.measured_area,
        score=own,
        rank=1 + len(higher),
        of=1 + len(names),
        best_rival=best_name,
        best_rival_score=best,
        best_rival_area=best_area,
        beaten_by=list(dict.fromkeys(name for _, name in higher)),
        found_by=found_by,
    )
