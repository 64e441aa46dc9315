"""Likeness to a second picture as the target: from what is given to the model that gives its score."""

from __future__ import annotations

import os
from pathlib import Path

from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.pictures.given_image import AnyImage, Picture, given_image
from ep_core.schemas.printable import printable
from ep_core.schemas.specs import CommonSpec

from .arguments import require_channels
from .classifier import Classifier
from .embeddings import LIKENESS
from .second_picture import about_part

PART = "target_image"


def likeness(model: Classifier, spec: CommonSpec, picture: AnyImage) -> Classifier:
    """Return a model of one score, the likeness to a picture (`Classifier.resembling`), named after the picture's file.

    Args:
        model: one that gives embeddings.
        spec: how the image is fitted to the network's frame, as the second picture is; and its white level, which
            counts for the second picture where that has a use for it.
        picture: the second one.

    Raises:
        InvalidInput: the picture can't be used; the error's field is `PART`.
    """
    label = f"similar to {printable(Path(picture).name)}" if isinstance(picture, str | os.PathLike) else LIKENESS
    with about_part(PART):
        second = _read(picture, spec.white_level)
        if isinstance(second, Tensor):
            require_channels(model, second)
        return model.resembling(second, fit=spec.fit, label=label)


def _read(picture: AnyImage, white_level: int | None) -> Picture:
    try:
        return given_image(picture, white_level)
    except InvalidInput as error:
        if error.field != "white_level":
            raise
    return given_image(picture)
