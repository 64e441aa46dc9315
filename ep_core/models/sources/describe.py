"""Preprocessing and labels of a model list's entry, without loading the network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from ep_core.models.preprocessing import Preprocessing
from ep_core.schemas.model_card import BOX_TARGETS, CLASS_TARGETS, EMBEDDING_TARGETS, SEGMENT_TARGETS, Head
from ep_core.schemas.targets import AT_A_PLACE
from ep_core.schemas.trained import WeightFacts

from .interface import Description, source_of
from .model_list import ModelEntry
from .objects import object_labels
from .torchvision_zoo import imagenet_labels
from .weight_cache import facts_of_files

_TARGETS = {"detections": BOX_TARGETS, "maps": SEGMENT_TARGETS, "embedding": EMBEDDING_TARGETS}
"""Kinds of targets of networks by an entry's `outputs`, where these are no scores of classes."""


def describe(entry: ModelEntry) -> Description:
    """Return an entry's description: the entry's own values, and the source's for the rest.

    Raises:
        UnknownName: the source has no such model or weights.
        ModelUnavailable: its package isn't installed, or its files can't be had.
        InvalidInput: the source's preprocessing has no equal here, or its weights end in no classes.
    """
    base = source_of(entry).describe(entry)
    outputs = _head(entry, base)
    labels = () if outputs == "embedding" else _labels(entry, base)
    own = _TARGETS.get(entry.outputs or outputs or "")
    return Description(
        preprocessing=_preprocessing(entry, base),
        labels=object_labels(labels) if entry.outputs == "maps" else labels,
        weights=entry.file.name if entry.file else base and base.weights,
        targets=own or (base.targets if base else CLASS_TARGETS),
        outputs=outputs,
        facts=_facts(entry, base),
    )


def _head(entry: ModelEntry, base: Description | None) -> Head | None:
    if entry.outputs in ("detections", "maps"):
        return "sigmoid"
    return cast("Head | None", entry.outputs) or (base and base.outputs)


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
        first = 0 if AT_A_PLACE.isdisjoint(base.targets) else 1  # of detectors and segmenters, 0 is the background
        return tuple(map(str, range(first, entry.kwargs["num_classes"])))
    return base.labels


def _facts(entry: ModelEntry, base: Description | None) -> WeightFacts:
    """Return the facts on the source's weights, or on those of the entry's file, whose accuracy nobody states."""
    known = base.facts if base else WeightFacts()
    if entry.file is None:
        return known
    return facts_of_files([entry.file], parameters=None if entry.kwargs else known.parameters)
