"""Perturbations of an image outside a mask, and those that a model takes. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

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
