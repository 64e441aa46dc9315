"""Is a mask extremal? Whether others of its area score higher: other methods' top areas, and random smooth masks.

By definition (eq. 2) none may. Rivals can't prove a mask extremal, but one that beats it proves that it is not.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .curve import masked_scores
from .lanes import ClassScores
from .models.classifier import Classifier
from .perturbation import gaussian_blur
from .prepared import Prepared
from .report import CurvePoint, Extremality, ExtremalityPoint
from .spec import CompareSpec, SpatialSpec, Variant
from .top_area import top_area_masks

QUICK_METHODS = ("center", "gradient", "grad_cam")
QUICK_RANDOM = 4
RANDOM = "random"
OWN = "walks"
"""Origin of a mask that no rival led to."""
TOLERANCE = 1e-3
"""By how much a rival must score higher to beat a mask, as a share of the mask's score (or of 1, where that is less):
what areas that are equal to 1e-4 and sums in another order may differ by."""
ROUGHNESS = 1 / 12
"""Blur of the noise that random masks are the top areas of, as a share of the frame's shorter side."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rivals:
    """Masks of the same areas as the ones that are checked."""

    names: tuple[str, ...]
    """R names: a method's, or `RANDOM`."""
    masks: Tensor
    """R x K x 1 x H x W in [0, 1]."""


def rivals_of(
    methods: Sequence[str], method_masks: Tensor, *, areas: Sequence[float], random: int, seed: int
) -> Rivals:
    """Return other methods' masks and so many random ones as rivals.

    Args:
        methods: M names.
        method_masks: M x K x 1 x H x W.
        areas: the K areas.
        random: how many random masks.
        seed: draws them.
    """
    height, width = method_masks.shape[-2:]
    maps = random_maps((height, width), count=random, seed=seed).to(method_masks.device)
    return Rivals((*methods, *[RANDOM] * random), torch.cat([method_masks, top_area_masks(maps, areas)]))


def quick_rivals(model: Classifier, image: Prepared[SpatialSpec]) -> Rivals:
    """Return the rivals that cost next to nothing: the top areas of `QUICK_METHODS` and a few random masks.

    A method that fails on this network is left out: the check costs nobody an answer.
    """
    from .baselines.method import Question
    from .baselines.registry import get_method

    spec = CompareSpec(seed=image.spec.seed)
    question = Question(model=model, x=image.x, targets=(image.target,), spec=spec)
    names, maps = [], []
    for name in QUICK_METHODS:
        try:
            maps.append(get_method(name).attribute(question)[0].detach())
            names.append(name)
        except Exception as error:
            log.info("not checked against %s: %s: %s", name, type(error).__name__, error)
    masks = top_area_masks(torch.stack(maps), image.spec.areas)
    return rivals_of(names, masks, areas=image.spec.areas, random=QUICK_RANDOM, seed=image.spec.seed)


def random_maps(size: tuple[int, int], *, count: int, seed: int) -> Tensor:
    """Return smooth noise, whose top areas are random smooth masks: count x H x W, on the CPU."""
    noise = torch.randn(count, 1, *size, generator=torch.Generator().manual_seed(seed))
    return gaussian_blur(noise, ROUGHNESS * min(size))[:, 0]


@torch.no_grad()
def objective_values(scores: ClassScores, masks: Tensor, target: int, variant: Variant) -> Tensor:
    """Return what a variant maximises at each mask: Phi(m x), -Phi((1-m) x), or their sum (3.2).

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
    """Return what a variant maximises, at a mask whose scores are known: as `objective_values`."""
    return {"preserve": point.preserve, "delete": -point.delete, "hybrid": point.preserve - point.delete}[variant]


def beats(value: float, own: float) -> bool:
    """Return whether a rival's value is above our mask's by more than `TOLERANCE`, of our value or of 1."""
    return value - own > TOLERANCE * max(1.0, abs(own))


def check_extremality(
    curve: Sequence[CurvePoint], variant: Variant, rivals: Rivals, values: Tensor, found_by: Sequence[str] = ()
) -> Extremality:
    """Compare what a sweep's masks score with what their rivals score.

    Args:
        curve: of the sweep's masks.
        variant: what is compared: Phi(m x), -Phi((1-m) x), or their sum (3.2).
        rivals: of the curve's areas, in its order.
        values: R x K, what the rivals score (`objective_values`).
        found_by: where each of the sweep's masks was found; empty: all by the sweep itself.
    """
    origins = found_by or [OWN] * len(curve)
    points = [
        _point(point, variant, rivals.names, column, origin)
        for point, column, origin in zip(curve, values.T.tolist(), origins, strict=True)
    ]
    return Extremality(
        extremal=all(point.rank == 1 for point in points),
        methods=[name for name in rivals.names if name != RANDOM],
        random_masks=rivals.names.count(RANDOM),
        tolerance=TOLERANCE,
        points=points,
    )


def _point(
    point: CurvePoint, variant: Variant, names: Sequence[str], values: Sequence[float], found_by: str
) -> ExtremalityPoint:
    own = objective_at(point, variant)
    higher = sorted(
        ((value, name) for name, value in zip(names, values, strict=True) if beats(value, own)), reverse=True
    )
    best, best_name = max(zip(values, names, strict=True))
    return ExtremalityPoint(
        area=point.area,
        score=own,
        rank=1 + len(higher),
        of=1 + len(names),
        best_rival=best_name,
        best_rival_score=best,
        beaten_by=list(dict.fromkeys(name for _, name in higher)),
        found_by=found_by,
    )
