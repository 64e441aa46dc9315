"""Options for a target's own picture: the likeness to one, or the region of a segment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.pictures.region import read_region

TargetImage = Annotated[
    Path | None,
    typer.Option(
        help="Explain the likeness to this second picture, of a model that gives embeddings; in place of --target.",
        exists=True,
        dir_okay=False,
    ),
]
TargetMask = Annotated[
    Path | None,
    typer.Option(
        help="The region in which --target is explained, of a segmenter: a picture as large as the image, white there.",
        exists=True,
        dir_okay=False,
    ),
]


TargetPicture = Path | Image.Image | None
"""A target's own picture, for the engine: the file, or the region that a mask shows."""


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
    return (target if isinstance(target, dict) else {"segment": target}) | {"within": "target_mask"}


def target_picture(image: Path | None, mask: Path | None) -> TargetPicture:
    """Return the picture that options name, for the engine.

    Raises:
        UnreadableImage, ImageTooLarge, InvalidInput: as `read_region`.
    """
    return image if mask is None else read_region(mask.read_bytes())
