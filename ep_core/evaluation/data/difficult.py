"""Difficult pairs of a picture and a category (Zhang et al., ECCV 2016, section 4.1)."""

from __future__ import annotations

from pathlib import Path

from ep_core.errors import InvalidInput

from .annotations import BoolMask, Scene

LARGEST_SHARE = 0.25
"""Objects of a difficult pair cover less than this of the picture, all together."""

DifficultList = dict[str, set[str]]
"""The difficult categories of each picture that a list names, by the scene's name."""


def is_difficult(scene: Scene, category: str, mask: BoolMask, listed: DifficultList | None = None) -> bool:
    """Return whether a category is difficult to point at in a picture.

    Without a list, by the definition: the category's objects cover less than a quarter of the picture, and there are
    objects of another category, whether the network knows it or not. With a list: the pair is in it, or the list
    doesn't have the picture (as in TorchRay's use of the authors' lists).

    Args:
        scene: the picture.
        category: one that it shows.
        mask: H x W, where the category's objects are; the pixels of boxes where the data set has boxes.
        listed: an official list.
    """
    if listed is not None:
        return scene.name not in listed or category in listed[scene.name]
    return bool(mask.mean() < LARGEST_SHARE) and len(scene.objects) > 1


def read_list(path: Path) -> DifficultList:
    """Return a list of difficult pairs: lines of a picture's name and a category, or of the name alone.

    A name may end in ``.jpg``; a line without a category lists a picture with nothing difficult.

    Raises:
        InvalidInput: the file can't be read, or is empty.
    """
    listed: DifficultList = {}
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"can't read {path}: it must have lines 'picture category'", field="difficult") from error
    for line in filter(str.strip, lines):
        name, _, category = line.strip().partition(" ")
        listed.setdefault(name.removesuffix(".jpg"), set()).update({category.strip()} - {""})
    if not listed:
        raise InvalidInput(f"{path} lists nothing", field="difficult")
    return listed
