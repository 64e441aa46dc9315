"""Arguments of Python callers: converted to the engine's types, or refused with a message of one line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from operator import index
from typing import Any, TypeVar

import numpy as np
from PIL import Image
from pydantic import ValidationError
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.pictures.given_image import AnyImage, Picture, given_image
from ep_core.schemas.specs import CommonSpec
from ep_core.schemas.wording import in_words, inner_fields, without_echoes

from .classifier import Classifier
from .registry import load_model

AnyModel = Classifier | nn.Module | str
"""A classifier; a bare network, which becomes `Classifier(network)` with that class's assumptions; or a model's name,
which is loaded anew for each call."""

S = TypeVar("S", bound=CommonSpec)


def given_inputs(
    model: AnyModel, images: Sequence[AnyImage], specs: Sequence[CommonSpec]
) -> tuple[Classifier, list[Picture]]:
    """Return the classifier and the pictures, or preprocessed tensors, that a call is about.

    Args:
        model: see `AnyModel`.
        images: see `AnyImage`.
        specs: one for each image.

    Raises:
        InvalidInput: one of them can't be used; where there are several images, a note on the error names it.
        UnknownName, ModelUnavailable: as for `load_model`.
    """
    pictures = [
        _noted(k, image, spec.white_level, len(images))
        for k, (image, spec) in enumerate(zip(images, specs, strict=True))
    ]
    classifier = _given_model(model)
    for picture, spec in zip(pictures, specs, strict=True):
        if isinstance(picture, Image.Image):
            classifier.preprocessing.require_usable(picture, spec.fit)
        else:
            require_channels(classifier, picture)
    return classifier, pictures


def given_images(images: Iterable[AnyImage]) -> list[AnyImage]:
    """Return the images that there are; refuse a single one, whose rows or characters would pass for images."""
    single = str | bytes | bytearray | memoryview | os.PathLike | Image.Image | Tensor | np.ndarray
    if isinstance(images, single) or not isinstance(images, Iterable):
        hint = ": split a batch by images.split(1)" if isinstance(images, Tensor) else ": put a single one into a list"
        raise InvalidInput(f"images is a list of them, not one {type(images).__name__}{hint}", field="image")
    return list(images)


def given_spec(spec: S | Mapping[str, Any] | None, kind: type[S]) -> S:
    """Return a task's spec: as it is, of a dict of its fields, or the defaults.

    Raises:
        InvalidInput: it is another task's spec, or a field of the dict is wrong.
    """
    if isinstance(spec, kind):
        return spec
    if spec is not None and not isinstance(spec, Mapping):
        wanted = f"{kind.__name__}, a dict of its fields or None"
        raise InvalidInput(f"the spec is to be {wanted}, not {type(spec).__name__}", field="spec")
    try:
        return kind.model_validate(dict(spec or {}))
    except ValidationError as error:
        found = [
            (".".join([str(one["loc"][0]), *inner_fields(one)]) if one["loc"] else "spec", in_words(one))
            for one in without_echoes(error.errors())
        ]
        said = "; ".join(dict.fromkeys(f"{field}: {message}" for field, message in found))
        raise InvalidInput(said, field=found[0][0].partition(".")[0]) from error


def given_lanes(max_lanes: int | None) -> int | None:
    """Return how many masks may be stepped in one batch.

    Raises:
        InvalidInput: it is no integer, or below 1.
    """
    try:
        lanes = None if max_lanes is None else index(max_lanes)
    except TypeError:
        lanes = 0
    if lanes is not None and lanes < 1:
        raise InvalidInput(f"max_lanes is an integer of at least 1, or None, not {max_lanes!r}", field="max_lanes")
    return lanes


def require_channels(model: Classifier, tensor: Tensor) -> None:
    """Raise `InvalidInput` where a preprocessed image has another number of channels than a model takes."""
    taken, given = model.preprocessing.channels, tensor.shape[1]
    if taken != given:
        raise InvalidInput(
            f"model {model.name!r} takes images of {taken} {'channel' if taken == 1 else 'channels'} (as many as its "
            f"preprocessing has means), not of {given}: {tuple(tensor.shape)}",
            field="image",
        )


def _given_model(model: AnyModel) -> Classifier:
    if isinstance(model, Classifier):
        return model
    if isinstance(model, nn.Module):
        return Classifier(model)
    if isinstance(model, str):
        return load_model(model)
    raise InvalidInput(
        f"a model is a Classifier, a torch.nn.Module or a model's name, not {type(model).__name__}", field="model"
    )


def _noted(k: int, image: AnyImage, white_level: int | None, count: int) -> Picture:
    try:
        return given_image(image, white_level)
    except InvalidInput as error:
        if count > 1:
            error.add_note(f"It is about images[{k}].")
        raise
