"""Facts on a model's trained weights: their size, their accuracy, and whether they are here. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Accuracy(BaseModel):
    """Accuracy of trained weights, as their library states it."""

    model_config = ConfigDict(frozen=True)

    value: Annotated[float, Field(ge=0, le=1, description="As a share, in [0, 1].", examples=[0.71878])]
    measure: Annotated[
        Literal["top1", "box_map", "miou"],
        Field(
            description="`top1`: the share of images whose best class is the right one; `box_map`: mean average "
            "precision of boxes; `miou`: mean intersection over union of the classes' pixels."
        ),
    ]
    data: Annotated[str, Field(description="The images that it was measured on.", examples=["ImageNet-1K"])]


Parameters = Annotated[
    int | None,
    Field(ge=0, description="Its number of parameters; null where its source doesn't say.", examples=[3504872]),
]
WeightBytes = Annotated[
    int | None,
    Field(
        ge=0,
        description="About the size of its weights' file, in bytes; null where it isn't known.",
        examples=[14213448],
    ),
]
WeightsHere = Annotated[
    bool | None,
    Field(
        description="Whether the workers have its weights on their disk. Those of a library are else downloaded by the "
        "first job that names it. Null where that isn't known before the model is loaded."
    ),
]
StatedAccuracy = Annotated[Accuracy | None, Field(description="As its library states it; null where it states none.")]


class WeightFacts(NamedTuple):
    """What is known of weights that are not loaded; the fields of a model's card of the same names."""

    parameters: int | None = None
    weight_bytes: int | None = None
    weights_here: bool | None = None
    accuracy: Accuracy | None = None
