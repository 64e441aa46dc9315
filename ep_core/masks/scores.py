"""Scores of masks: of the image under them, kept and deleted (3.2), and binariness of masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ep_core.models.runtime.batching import fill_up
from ep_core.models.runtime.memory import free_memory, is_out_of_memory
from ep_core.models.runtime.turns import give_way
from ep_core.schemas.reports.common import MaskPredictions, ReferencePredictions, Scores, TopClasses
from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.specs import Variant
from ep_core.schemas.threshold import threshold_of

CHUNK = 16  # masks scored in one batch

ClassScores = Callable[[Tensor, Tensor], Tensor]
"""N masks in [0, 1] (N x ...) and the N indices of their images -> N x C, the scores under the masks."""


ToProbabilities = Callable[[Tensor], Tensor | None]
"""Returns the probabilities that scores (N x C) stand for, N x C; None where they stand for none."""

ToClasses = Callable[[Tensor], Sequence[TopClasses] | None]
"""Returns the top classes of each of N rows of scores (N x C); None where scores are of no classes."""


def no_classes(_: Tensor) -> None:
    """Return no top classes: a `ToClasses` for results without predictions."""


@torch.no_grad()
def reference_scores(
    scores: ClassScores,
    everything: Tensor,
    target: int,
    *,
    variant: Variant,
    threshold: float,
    probabilities: ToProbabilities,
    classes: ToClasses = no_classes,
) -> Scores:
    """Return the scores of the untouched and of the fully perturbed image, and the threshold of the curve.

    Args:
        scores: of one image under masks.
        everything: the mask that keeps all, 1 x ... of ones.
        target: class index.
        variant: of the masks.
        threshold: tau, which `threshold_of` makes a score of.
        probabilities: of the network's scores.
        classes: of the network's scores.
    """
    found = masked_scores(scores, torch.cat([everything, torch.zeros_like(everything)]))
    original, perturbed = found[:, target].tolist()
    reached, rule = threshold_of(original, perturbed, variant=variant, tau=threshold)
    top = classes(found)
    return Scores(
        original=original,
        perturbed=perturbed,
        threshold=reached,
        threshold_rule=rule,
        original_probability=_of_target(found, target, probabilities)[0],
        predictions=ReferencePredictions(original=top[0], perturbed=top[1]) if top else None,
    )


@torch.no_grad()
def score_curve(
    scores: ClassScores,
    masks: Tensor,
    target: int,
    areas: Sequence[float],
    *,
    probabilities: ToProbabilities,
    classes: ToClasses = no_classes,
) -> list[CurvePoint]:
    """Return one point per mask: its scores kept and deleted, the predictions, and how large and how binary it is.

    Args:
        scores: of one image under masks.
        masks: K x ... in [0, 1].
        target: class index.
        areas: the K requested areas.
        probabilities: of the network's scores.
        classes: of the network's scores.
    """
    kept = masked_scores(scores, masks)
    deleted = masked_scores(scores, 1 - masks)
    flat = masks.flatten(1)
    columns = zip(
        areas,
        flat.mean(dim=1).tolist(),
        kept[:, target].tolist(),
        deleted[:, target].tolist(),
        _of_target(kept, target, probabilities),
        _of_target(deleted, target, probabilities),
        binariness(flat).tolist(),
        _predictions(classes(kept), classes(deleted), len(masks)),
        strict=True,
    )
    names = (
        "area",
        "measured_area",
        "preserve",
        "delete",
        "preserve_probability",
        "delete_probability",
        "binariness",
        "predictions",
    )
    return [CurvePoint.model_validate(dict(zip(names, column, strict=True))) for column in columns]


def _of_target(scores: Tensor, target: int, probabilities: ToProbabilities) -> list[float | None]:
    """Return the target's probability for each of N rows of scores; None for each where scores stand for none."""
    found = probabilities(scores)
    return [None] * len(scores) if found is None else found[:, target].tolist()


def _predictions(
    kept: Sequence[TopClasses] | None, deleted: Sequence[TopClasses] | None, count: int
) -> Sequence[MaskPredictions | None]:
    """Return the predictions for each of so many masks; None for each where there are no classes."""
    if kept is None or deleted is None:
        return [None] * count
    return [MaskPredictions(preserve=one, delete=other) for one, other in zip(kept, deleted, strict=True)]


def binariness(masks: Tensor) -> Tensor:
    """Return the mean of m(1-m) over the last dimension: 0 for binary masks, at most 0.25."""
    return (masks * (1 - masks)).mean(dim=-1)


def masked_scores(scores: ClassScores, masks: Tensor) -> Tensor:
    """Return the class scores of one image under K masks (K x ...): K x C."""
    count = len(masks)
    if masks.is_cuda:
        masks = fill_up(masks, count + -count % CHUNK)
    return torch.cat([_in_one_batch(scores, chunk) for chunk in masks.split(CHUNK)])[:count]


def _in_one_batch(scores: ClassScores, masks: Tensor) -> Tensor:
    """Return the scores under masks that are computed together; where memory runs out, in halves."""
    give_way()
    try:
        return scores(masks, torch.zeros(len(masks), dtype=torch.long, device=masks.device))
    except Exception as error:
        if not is_out_of_memory(error) or len(masks) == 1:
            raise
        error.__traceback__ = None  # its frames hold the tensors that didn't fit
    free_memory()
    return torch.cat([_in_one_batch(scores, half) for half in masks.split(math.ceil(len(masks) / 2))])
