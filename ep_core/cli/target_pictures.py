"""Options for a target's own picture: the likeness to one, or the region of a segment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ep_core.errors import InvalidInput


def _picture(help_: str) -> Any:
    return typer.Option(help=help_, exists=True, dir_okay=False)


TargetImage = Annotated[
    Path | None,
    _picture("Explain the likeness to this second picture, of a model that gives embeddings; in place of --target."),
]
TargetMask = Annotated[
    Path | None,
    _picture(
        "The region in which --target is explained, of a segmenter: a picture as large as the image, white there."
    ),
]


def with_pictures(target: Any, *, image: Path | None, mask: Path | None) -> Any:
    """Return the target that options ask for.

    Args:
        target: that of `--target`, as `from_spec` reads it; None without it.
        image: `--target-image`.
        mask: `--target-mask`.

    Raises:
        InvalidInput: they don't go together.
    """
    if image is not None and mask is not None:
        raise InvalidInput("--target-image goes without --target-mask: give one of them", field="target_mask")
    if image is not None and target is not None:
        raise InvalidInput("--target-image is the target by itself: leave --target out", field="target")
    if image is not None:
        return {"similar_to": "target_image"}
    if mask is None:
        return target
    if target is None:
        raise InvalidInput("--target-mask goes with --target, the class that is segmented", field="target")
    if not isinstance(target, dict):
        return {"segment": target, "within": "target_mask"}
    if target.get("within") != "target_mask":
        raise InvalidInput("--target-mask is the region: let --target name the class alone", field="target")
    return target
