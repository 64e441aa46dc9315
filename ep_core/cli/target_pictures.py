"""Options for a target's own picture: the likeness to one, or the region of a segment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ep_core.errors import InvalidInput
from ep_core.schemas.specs import ExtremalSpec
from ep_core.schemas.targets import AT_A_PLACE, kind_of

if TYPE_CHECKING:
    from ep_core.models import Classifier


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


def check_for_all(model: Classifier, spec: ExtremalSpec, picture: Path | None) -> None:
    """Refuse what is no single image's fault: a class that isn't there, a second picture that can't be used.

    Args:
        model: the classifier.
        spec: of several images.
        picture: the target's own.

    Raises:
        InvalidInput: so it is.
    """
    from ep_core.models.places import drawn_region
    from ep_core.models.targets import check_given, given_target

    check_given(model, spec, picture)
    if kind_of(spec.target) not in AT_A_PLACE:
        given_target(model, spec, None, picture)
    elif picture is not None:
        drawn_region(picture)
