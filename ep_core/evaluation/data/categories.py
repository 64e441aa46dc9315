"""ImageNet classes of a data set's categories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from ep_core.errors import InvalidInput
from ep_core.schemas.targets import resolve_target

ClassTargets = dict[str, tuple[int, ...]]
"""Class indices by category, at least one each; categories that the network has no class for are left out."""

VOC_NAMES = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}
"""COCO's names of the categories that VOC names differently."""


@cache
def imagenet_categories() -> dict[str, tuple[str, ...]]:
    """Return the ImageNet labels, torchvision's, that show each of COCO's categories: `imagenet_categories.txt`."""
    lines = Path(__file__).with_name("imagenet_categories.txt").read_text().splitlines()
    entries: list[str] = []
    for line in lines:
        if line.startswith(" "):  # goes on
            entries[-1] += " " + line.strip()
        elif line and not line.startswith("#"):
            entries.append(line)
    categories = {}
    for entry in entries:
        head, labels = entry.split(": ", 1)
        categories[head.split(" (")[0]] = tuple(labels.split(", "))
    return categories


def class_targets(categories: Iterable[str], labels: Sequence[str]) -> ClassTargets:
    """Return the classes that show each category of COCO or VOC.

    A network whose labels hold all the categories (but for case) was trained for them: each is its own class. Else the
    labels are read as ImageNet's. They are compared exactly, as `Cardigan` is a dog and `cardigan` is worn.

    Args:
        categories: all of the data set's, so that an ImageNet network that happens to know a category's name (its
            `kite` is the bird) isn't taken for one of the data set's own.
        labels: the network's, one per class.

    Raises:
        InvalidInput: the network has no class for any of the categories.
    """
    categories = tuple(categories)
    own = {label.strip().casefold(): index for index, label in enumerate(labels)}
    if all(category.casefold() in own for category in categories):
        return {category: (own[category.casefold()],) for category in categories}
    index_of = {label: index for index, label in enumerate(labels)}
    found = {}
    for category in categories:
        known = imagenet_categories().get(VOC_NAMES.get(category, category), ())
        if targets := tuple(index_of[label] for label in known if label in index_of):
            found[category] = targets
    if not found:
        raise InvalidInput(
            "the model's labels are neither the data set's categories nor ImageNet's, so no class can be looked for",
            field="model",
        )
    return found


def label_targets(names: Iterable[str], labels: Sequence[str]) -> ClassTargets:
    """Return the class that each name stands for: a class index in digits, or one of the network's labels.

    Raises:
        InvalidInput: no class has this index or label (`UnknownName`), or several have it.
    """
    return {name: (resolve_target(int(name) if name.isdigit() else name, labels),) for name in names}
