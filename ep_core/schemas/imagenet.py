"""Classes of ImageNet (ILSVRC 2012) by their WordNet ids. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

CLASSES = 1000
FIRST, LAST = "tench", "toilet tissue"  # in the order of the ids, which all libraries keep
_SYNSET = re.compile(r"n\d{8}")


def synset_index(name: str, labels: Sequence[str]) -> int | None:
    """Return the class that a WordNet id names, such as ``"n02133161"``; None where it is none of these classes.

    Args:
        name: in lower case.
        labels: of the model, one per class. They are ImageNet's where they are 1000 that begin and end as its do.
    """
    if not _SYNSET.fullmatch(name) or not is_imagenet(labels):
        return None
    return _indices().get(name)


def is_imagenet(labels: Sequence[str]) -> bool:
    """Return whether labels are those of ImageNet's 1000 classes, in any library's wording."""
    return len(labels) == CLASSES and labels[0].startswith(FIRST) and labels[-1].startswith(LAST)


@cache
def _indices() -> dict[str, int]:
    ids = files(__package__).joinpath("imagenet_synsets.txt").read_text(encoding="ascii").split()
    return {synset: k for k, synset in enumerate(ids)}
