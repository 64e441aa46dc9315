"""Perturbations of an image outside a mask, and those that a model takes. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ep_core.errors import InvalidInput

PerturbationKind = Literal["blur", "fade", "drop"]

ANY_NETWORK: tuple[PerturbationKind, ...] = ("blur", "fade")
"""Perturbations of pixels, which any network takes."""
ANY_PATCHES: tuple[PerturbationKind, ...] = (*ANY_NETWORK, "drop")
"""Those of a vision transformer that can do without some of its patches."""

Perturbations = Annotated[
    tuple[PerturbationKind, ...] | None,
    Field(
        description="The values of `params.perturbation` that it takes: `drop` where it is a vision transformer that "
        "can do without some of its patches; null while not known yet.",
        examples=[["blur", "fade"]],
    ),
]


def check_perturbation(
    perturbation: PerturbationKind | None, taken: tuple[PerturbationKind, ...], *, model: str
) -> None:
    """Refuse a perturbation that a model doesn't take.

    Args:
        perturbation: the one that is asked for; None for tasks without any.
        taken: by the model.
        model: its name, for the message.

    Raises:
        InvalidInput: it isn't among them.
    """
    if perturbation is not None and perturbation not in taken:
        raise no_patches(model)


def no_patches(model: str) -> InvalidInput:
    """Return the error of a model that can't do without any of its patches."""
    return InvalidInput(
        f"perturbation 'drop' leaves patches out, and model {model!r} can't do without any: take a vision transformer "
        "whose tokens know their positions (ViT, DeiT, DINOv2, CLIP, SigLIP), or use 'blur' or 'fade'",
        field="perturbation",
    )
