"""Top classes of an image."""

from __future__ import annotations

import torch
from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.schemas.reports.common import ClassScore
from ep_core.schemas.specs import Fit

from .classifier import Classifier


def top_classes(model: Classifier, image: Image.Image, *, count: int = 5, fit: Fit = "crop") -> list[ClassScore]:
    """Return the `count` classes (or all, where there are fewer) that score highest, the best first.

    Raises:
        InvalidInput: the model has no classes, the image is too elongated to be cropped, or the network's scores for it
            aren't numbers.
    """
    if not model.labels:
        raise InvalidInput(f"model {model.name!r} has no classes: its outputs are embeddings", field="model")
    x, _ = model.preprocess(image, fit)
    with model.frozen() as network, torch.inference_mode():
        scores = network(x)[0].float()
    if not scores.isfinite().all():
        raise InvalidInput(f"model {model.name!r} gives this image scores that aren't finite numbers", field="model")
    probabilities = model.probabilities(scores[None])
    best = scores.argsort(descending=True, stable=True)[:count].tolist()
    return [
        ClassScore(
            index=k,
            label=model.labels[k],
            score=float(scores[k]),
            probability=None if probabilities is None else float(probabilities[0, k]),
        )
        for k in best
    ]
