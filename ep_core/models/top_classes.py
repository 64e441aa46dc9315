"""Top classes of an image."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.schemas.reports.common import ClassScore, TopClasses
from ep_core.schemas.specs import Fit

from .classifier import Classifier

TOP = 5
"""Classes of a prediction."""


def top_classes(model: Classifier, image: Image.Image, *, count: int = TOP, fit: Fit = "crop") -> TopClasses:
    """Return the `count` classes (or all, where there are fewer) that score highest, the best first.

    Raises:
        InvalidInput: the model has no classes, the image is too elongated to be cropped, or the network's scores for it
            aren't numbers.
    """
    if not model.labels:
        raise InvalidInput(f"model {model.name!r} has no classes: its outputs are embeddings", field="model")
    x, _ = model.preprocess(image, fit)
    with model.frozen() as network, torch.inference_mode():
        scores = network(x).float()
    if not scores.isfinite().all():
        raise InvalidInput(f"model {model.name!r} gives this image scores that aren't finite numbers", field="model")
    return ranked(model, scores, count)[0]


def predictions(model: Classifier, scores: Tensor) -> list[TopClasses] | None:
    """Return the top classes of each of N rows of a model's scores (N x C).

    None where the only score stands for no probability, as a contrast or a text by itself: there is nothing to rank.
    """
    return None if model.num_classes == 1 and model.head == "score" else ranked(model, scores)


def ranked(model: Classifier, scores: Tensor, count: int = TOP) -> list[TopClasses]:
    """Return of each of N rows of scores (N x C) the `count` classes that score highest, the best first."""
    scores = scores.float().cpu()
    probabilities = model.probabilities(scores)
    best = scores.argsort(dim=1, descending=True, stable=True)[:, :count].tolist()
    return [
        [
            ClassScore(
                index=k,
                label=model.labels[k],
                score=float(scores[row, k]),
                probability=None if probabilities is None else float(probabilities[row, k]),
            )
            for k in columns
        ]
        for row, columns in enumerate(best)
    ]
