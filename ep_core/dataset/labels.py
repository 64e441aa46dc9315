"""Labels of a dataset and classes of a model. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ep_core.errors import InvalidInput
from ep_core.schemas.targets import resolve_target


def class_indices(labels: Iterable[str | None], classes: Sequence[str]) -> dict[str, int | None]:
    """Return the class that each label names: by the class's label, its WordNet id or its index; None for no class.

    Args:
        labels: of the dataset's images; None is passed over.
        classes: the model's labels, one per class.
    """
    return {label: _index(label, classes) for label in set(labels) if label is not None}


def _index(label: str, classes: Sequence[str]) -> int | None:
    try:
        return resolve_target(label, classes)
    except InvalidInput:
        is_index = label.isdecimal() and int(label) < len(classes)
        return int(label) if is_index else None
