"""Arguments of the adapters: a batch, its targets and the options, or an error that says what to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.pictures.planes import RGBA
from ep_core.schemas.specs import ExtremalSpec
from ep_core.schemas.targets import nearest_names

_NOT_OF_A_SALIENCY = {"task", "model", "target", "fit", "white_level", "threshold", "alternatives", "contrast"}
OF_THE_RUN = ("max_lanes", "on_progress")
"""Options that are arguments of `ep_core.explain_batch`."""
OPTIONS = (*(name for name in ExtremalSpec.model_fields if name not in _NOT_OF_A_SALIENCY), *OF_THE_RUN)
"""Options of every adapter: the fields of `ExtremalSpec` that change masks, and `OF_THE_RUN`."""


def given_batch(images: Any, *, field: str) -> Tensor:
    """Return a batch of preprocessed images, N x C x H x W.

    Raises:
        InvalidInput: it is none; `field` is the library's name of the argument.
    """
    if not isinstance(images, Tensor):
        raise InvalidInput(f"{field} is a tensor N x C x H x W, not {type(images).__name__}", field=field)
    if images.ndim != 4 or 0 in images.shape or _has_channels_last(images):
        shape = " x ".join(map(str, images.shape))
        raise InvalidInput(f"{field} is N x C x H x W, not {shape or 'a number'}{_hint(images)}", field=field)
    if not images.is_floating_point():
        raise InvalidInput(f"{field} is a preprocessed image of floats, not {images.dtype}: normalise it", field=field)
    return images


def given_targets(targets: Any, count: int, *, field: str) -> list[Any]:
    """Return one target for each of `count` images: the same for all, or one of a list, a tensor or an array.

    Raises:
        InvalidInput: there are more or fewer targets than images.
    """
    if isinstance(targets, Tensor):
        targets = targets.detach().cpu().numpy()
    if isinstance(targets, np.ndarray | np.generic):
        targets = targets.item() if targets.size == 1 else targets.tolist()
    if not isinstance(targets, list):
        return [targets] * count
    if len(targets) != count:
        raise InvalidInput(
            f"there are {len(targets)} targets for {count} images: give one for all, or one for each", field=field
        )
    return targets


def check_options(options: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` where an option is none of `OPTIONS`."""
    for name in options:
        if name not in OPTIONS:
            nearest = nearest_names(name, OPTIONS)
            hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"the options are {', '.join(OPTIONS)}"
            raise InvalidInput(f"there is no option {name!r}; {hint}", field=name)


def _hint(images: Tensor) -> str:
    if images.ndim == 3:
        return ": give a single image as image[None]"
    if _has_channels_last(images):
        return ": put the channels in front, images.permute(0, 3, 1, 2)"
    return ""


def _has_channels_last(images: Tensor) -> bool:
    return images.ndim == 4 and images.shape[3] <= RGBA  # no image of that width can be explained
