"""Preprocessing and labels of a model list's entry, without loading the network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ep_core.models.preprocessing import Preprocessing
from ep_core.schemas.model_card import CLASS_TARGETS, EMBEDDING_TARGETS

from .interface import Description, source_of
from .model_list import ModelEntry
from .torchvision_zoo import imagenet_labels


def describe(entry: ModelEntry) -> Description:
    """Return an entry's description: the entry's own values, and the source's for the rest.

    Raises:
        UnknownName: the source has no such model or weights.
        ModelUnavailable: its package isn't installed, or its files can't be had.
        InvalidInput: the source's preprocessing has no equal here, or its weights end in no classes.
    """
    base = source_of(entry).describe(entry)
    outputs = entry.outputs or (base and base.outputs)
    is_embedding = outputs == "embedding"
    return Description(
        preprocessing=_preprocessing(entry, base),
        labels=() if is_embedding else _labels(entry, base),
        weights=entry.file.name if entry.file else base and base.weights,
        targets=EMBEDDING_TARGETS if is_embedding else base.targets if base else CLASS_TARGETS,
        outputs=outputs,
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
        first = 0 if base.targets == CLASS_TARGETS else 1  # of detectors and segmenters, 0 is the background
        return tuple(map(str, range(first, entry.kwargs["num_classes"])))
    return base.labels
