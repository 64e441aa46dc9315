"""Preprocessing and labels of a model list's entry, without loading the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ep_core.errors import InvalidInput
from ep_core.models.preprocessing import Preprocessing, from_timm, from_torchvision

from .model_list import ModelEntry
from .timm_zoo import class_labels, pretrained_config, require_timm
from .torchvision_zoo import imagenet_labels, pick_weights


class Description(NamedTuple):
    """Description of a model whose weights are not loaded."""

    preprocessing: Preprocessing
    labels: tuple[str, ...]
    weights: str | None


def describe(entry: ModelEntry) -> Description:
    """Return an entry's description: the entry's own values, and the library's for the rest.

    Raises:
        UnknownName: the library has no such model or weights.
        ModelUnavailable: timm isn't installed.
        InvalidInput: the library's preprocessing has no equal here, or its weights end in no classes.
    """
    base = _from_library(entry)
    return Description(
        preprocessing=_preprocessing(entry, base),
        labels=_labels(entry, base),
        weights=entry.file.name if entry.file else base and base.weights,
    )


def _from_library(entry: ModelEntry) -> Description | None:
    if entry.torchvision:
        weights = pick_weights(entry.torchvision, entry.weights)
        labels = tuple(weights.meta["categories"])
        return Description(from_torchvision(weights.transforms()), labels, weights.name)
    if entry.timm:
        config = pretrained_config(entry.timm)
        labels = class_labels(config["num_classes"])
        _require_trained_head(entry, config["num_classes"], labels)
        data_config = require_timm().data.resolve_data_config(pretrained_cfg=config)
        return Description(from_timm(data_config), labels, config["tag"])
    return None


def _require_trained_head(entry: ModelEntry, trained: int, labels: Sequence[str] | None) -> None:
    """Refuse timm's pretrained weights where the head isn't among them, so that it would be random or there is none."""
    asked = entry.kwargs.get("num_classes", trained)
    if entry.file is None and asked not in (0, trained):
        raise InvalidInput(
            f"timm's weights {entry.timm!r} have no head of {asked} classes, so that one would have random weights: "
            "name your own as `file`, or leave kwargs.num_classes out",
            field="model",
        )
    if entry.labels is None and "num_classes" not in entry.kwargs and not labels:
        ending = f"{trained} outputs that timm names no classes for, as an embedding" if trained else "features"
        raise InvalidInput(
            f"timm's weights {entry.timm!r} end in {ending}, not in scores of classes: choose weights with a head, or "
            "list the model with `labels`, one per output, to say that they are classes",
            field="model",
        )


def _preprocessing(entry: ModelEntry, base: Description | None) -> Preprocessing:
    given: dict[str, Any] = entry.preprocessing.model_dump(exclude_none=True)
    if base is None:
        return Preprocessing(**given)
    if "input_size" in given:
        given = {"resize": None} | given
    return replace(base.preprocessing, **given)


def _labels(entry: ModelEntry, base: Description | None) -> tuple[str, ...]:
    if entry.labels == "imagenet":
        return imagenet_labels()
    if entry.labels or base is None:
        return entry.labels or ()
    if "num_classes" in entry.kwargs:
        return tuple(map(str, range(entry.kwargs["num_classes"])))
    return base.labels
