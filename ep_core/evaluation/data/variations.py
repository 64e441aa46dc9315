"""Changes of a photograph or of its perturbation that don't change what a person sees in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from ep_core.evaluation.similarity import rank_correlation
from ep_core.extremal.stability import overlaps
from ep_core.models import Classifier
from ep_core.pictures.decoding import read_image
from ep_core.pictures.photographs import load
from ep_core.schemas.specs import ExtremalSpec

from .items import Subject

JPEG_QUALITY = 85
SHIFT = 3
"""Pixels of the network's frame, down and to the right."""

Kind = Literal["seed", "jpeg", "shift", "fade to black", "fade to the mean"]


@dataclass(frozen=True)
class Variation:
    """Request that differs from the first one in one respect."""

    kind: Kind
    model: Classifier
    x: Tensor
    """1 x 3 x H x W, the network's input."""
    spec: ExtremalSpec
    shift: int = 0
    """Pixels of the frame by which the photograph lies further down and to the right."""


def variations(
    model: Classifier, subject: Subject, x: Tensor, spec: ExtremalSpec, seeds: Sequence[int]
) -> Iterator[Variation]:
    """Yield the requests whose results are compared with the first one.

    Args:
        model: the classifier.
        subject: the photograph.
        x: 1 x 3 x H x W, the photograph as the network's input.
        spec: the first run, by a blur.
        seeds: the other seeds.
    """
    for seed in seeds:
        yield Variation("seed", model, x, spec.model_copy(update={"seed": seed}))
    yield Variation("jpeg", model, model.preprocess(reencoded(load(subject.path)), spec.fit)[0], spec)
    yield Variation("shift", model, shifted(x, SHIFT), spec, shift=SHIFT)
    fade = spec.model_copy(update={"perturbation": "fade", "sigma_max": None})
    yield Variation("fade to black", model, x, fade)
    yield Variation("fade to the mean", fading_to_the_mean(model), x, fade)


def reencoded(picture: Image.Image) -> Image.Image:
    """Return an RGB picture after JPEG at `JPEG_QUALITY`."""
    file = BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return read_image(file.getvalue())


def shifted(x: Tensor, pixels: int) -> Tensor:
    """Return an image moved down and to the right, N x C x H x W as before, its first row and column repeated."""
    return pad(x, (pixels, 0, pixels, 0), mode="replicate")[:, :, : x.shape[2], : x.shape[3]]


def fading_to_the_mean(model: Classifier) -> Classifier:
    """Return a classifier of the same network whose `fade` ends in the mean colour, the zero of its normalisation.

    It is for preprocessed inputs: of a picture it would make another input.
    """
    return Classifier(
        model.network,
        name=model.name,
        preprocessing=replace(model.preprocessing, mean=(0.0, 0.0, 0.0)),
        labels=model.labels,
        weights_digest=model.weights_digest,
        check=False,
    )


def agreement(first: Tensor, other: Tensor, shift: int = 0) -> tuple[list[float], float]:
    """Return the agreement of two results' masks: the IoU for each area, and the sums' rank correlation.

    Args:
        first: K x 1 x H x W in [0, 1].
        other: of the same shape, of the photograph moved by `shift` pixels; moved back, and compared where both lie.
        shift: pixels, 0 or more, fewer than H and W.
    """
    rows, columns = first.shape[2] - shift, first.shape[3] - shift
    one, two = first[:, :, :rows, :columns], other[:, :, shift:, shift:]
    sums = (np.asarray(masks.to(torch.float64).sum(dim=0)[0]) for masks in (one, two))
    return overlaps(one, two), rank_correlation(*sums)
