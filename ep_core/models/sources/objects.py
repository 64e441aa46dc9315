"""Classes of detectors and segmenters that are objects. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

NO_OBJECTS = ("background", "__background__", "n/a")
"""Labels of what isn't an object: "N/A" are the numbers that COCO left out of its categories."""


def object_classes(labels: Sequence[str]) -> tuple[int, ...]:
    """Return the indices of the classes that are objects, by their labels."""
    return tuple(k for k, label in enumerate(labels) if label.lower() not in NO_OBJECTS)


def object_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of the classes that are objects."""
    return tuple(labels[k] for k in object_classes(labels))
