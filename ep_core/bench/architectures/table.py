"""Table of the architectures that are tried."""

from __future__ import annotations

from collections.abc import Collection

from ep_core.errors import InvalidInput

from .architecture import Architecture
from .libraries import hugging_face_classifiers, image_text_networks, timm_classifiers, torchvision_classifiers
from .others import detectors_and_segmenters, own_networks


def architectures() -> list[Architecture]:
    """Return all architectures, by library; none is made yet."""
    return [
        *torchvision_classifiers(),
        *timm_classifiers(),
        *hugging_face_classifiers(),
        *image_text_networks(),
        *detectors_and_segmenters(),
        *own_networks(),
    ]


def chosen(names: Collection[str]) -> list[Architecture]:
    """Return the architectures whose name or source is one of these; all, where there are none.

    Raises:
        InvalidInput: there is no such one.
    """
    rows = architectures()
    known = {name for row in rows for name in (row.name, row.source)}
    for name in names:
        if name not in known:
            listed = ", ".join(dict.fromkeys(row.source for row in rows))
            raise InvalidInput(f"there is no architecture {name!r}; the sources are {listed}", field="names")
    return [row for row in rows if not names or row.name in names or row.source in names]
