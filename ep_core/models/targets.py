"""Targets: from what is asked for to the model that gives its score."""

from __future__ import annotations

from ep_core.pictures.given_image import AnyImage, Picture
from ep_core.schemas.specs import BoxTarget, ClassContrast, CommonSpec, SegmentTarget, SimilarTarget, TextTarget
from ep_core.schemas.targets import (
    check_common,
    check_pictures,
    check_target,
    picture_of,
    resolve_contrast,
    resolve_target,
)

from .classifier import Classifier
from .likeness import likeness
from .places import box_model, segment_model


def check_given(model: Classifier, spec: CommonSpec, picture: AnyImage | None) -> None:
    """Refuse a target that a model doesn't have, and a second picture that is missing or not needed.

    Args:
        model: the classifier.
        spec: with the target.
        picture: the target's own.

    Raises:
        InvalidInput, UnknownName: as `check_target` and `check_pictures`.
    """
    check_target(spec.target, model.labels, kinds=model.targets, model=model.name)
    check_pictures(spec.target, [] if picture is None else [picture_of(spec.target) or "target_picture"])


def given_target(
    model: Classifier, spec: CommonSpec, image: Picture | None = None, picture: AnyImage | None = None
) -> tuple[Classifier, int | None]:
    """Return the model that gives the target's score, and the target's index there; None for the top class.

    Args:
        model: the classifier.
        spec: with the target, and how the image is fitted to the network's frame.
        image: the one that is explained, for targets at a place of it; None where there are several.
        picture: the target's own, `target_image` or `target_mask`.

    Raises:
        InvalidInput, UnknownName: as `check_given`, or the target is at a place and there are several images, or its
            picture can't be used.
    """
    check_given(model, spec, picture)
    target = spec.target
    if isinstance(target, SimilarTarget) and picture is not None:
        return likeness(model, spec, picture), 0
    if isinstance(target, ClassContrast):
        return model.contrasting(*resolve_contrast(target, model.labels)), 0
    if isinstance(target, TextTarget):
        return model.reading(target.text, *target.against), 0
    if image is None:
        check_common(target)
    elif isinstance(target, BoxTarget):
        return box_model(model, target, image, spec.fit), 0
    elif isinstance(target, SegmentTarget):
        return segment_model(model, target, image, spec.fit, picture), 0
    return model, None if not isinstance(target, int | str) else resolve_target(target, model.labels)
