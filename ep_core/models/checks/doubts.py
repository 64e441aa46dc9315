"""Warnings of a model's preprocessing, and the results that they concern."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image
from torch import Tensor

from ep_core.models.preprocessing import Preprocessing
from ep_core.schemas.warnings import ResultWarning

from .normalisation import fault_of, listed

IMAGENET_PREPROCESSING = Preprocessing(input_size=(224, 224), resize=256)
_KINDS = ("preprocessing", "assumed-preprocessing")


def preprocessing_warnings(preprocessing: Preprocessing | None) -> tuple[ResultWarning, ...]:
    """Return the warnings of a preprocessing; None stands for ImageNet's, assumed where none is known."""
    if preprocessing is None:
        return (_assumed(IMAGENET_PREPROCESSING),)
    fault = fault_of(preprocessing.mean, preprocessing.std)
    return (ResultWarning(kind="preprocessing", detail=fault),) if fault else ()


def bearing_on(
    images: Iterable[Image.Image | Tensor], warnings: Iterable[ResultWarning], *, normalising: bool
) -> tuple[ResultWarning, ...]:
    """Return the warnings that concern a result: those of preprocessing don't where it had no part in it.

    Args:
        images: what the answer is about; a tensor is preprocessed already.
        warnings: all that there are.
        normalising: the answer's own pictures were normalised, as black is for `fade`.
    """
    normalising = normalising or any(isinstance(image, Image.Image) for image in images)
    return tuple(warning for warning in warnings if normalising or warning.kind not in _KINDS)


def _assumed(used: Preprocessing) -> ResultWarning:
    height, width = used.input_size
    return ResultWarning(
        kind="assumed-preprocessing",
        detail=f"the classifier was made without a preprocessing, so ImageNet's is assumed: {height} x {width} pixels "
        f"out of a shorter side of {used.resize}, mean = {listed(used.mean)}, std = {listed(used.std)}. "
        "Give it the training's: Classifier(network, preprocessing=Preprocessing(input_size=..., mean=..., std=...))",
    )
