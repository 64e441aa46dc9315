"""Response models of the models on offer."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from ep_core.schemas.model_card import CLASS_TARGETS, ListedLayer, Outputs, Source, Targets
from ep_core.schemas.perturbations import Perturbations
from ep_core.schemas.pixels import InputSize, OfModel
from ep_core.schemas.trained import Parameters, StatedAccuracy, WeightBytes, WeightsHere
from ep_core.schemas.warnings import ResultWarning


class ModelSummary(OfModel):
    """A model that can be explained."""

    name: Annotated[str, Field(description="Its name in `params.model`.", examples=["mobilenet_v2"])]
    source: Annotated[Source, Field(description="The source of its architecture.")]
    description: Annotated[str, Field(description="The operator's words.")]
    input_size: InputSize
    weights: Annotated[str | None, Field(description="The weights' name in their library, or the file's name.")] = None
    parameters: Parameters = None
    weight_bytes: WeightBytes = None
    weights_here: WeightsHere = None
    accuracy: StatedAccuracy = None
    classes: Annotated[int, Field(description="Its number of classes.", examples=[1000])]
    outputs: Outputs = "softmax"
    targets: Targets = CLASS_TARGETS
    warnings: Annotated[
        tuple[ResultWarning, ...], Field(description="Reasons to doubt answers about it. Often none.")
    ] = ()
    link: Annotated[str, Field(description="The model, labels included.", examples=["/v1/models/mobilenet_v2"])]


class ModelRead(ModelSummary):
    """A model with its labels and layers, and the perturbations that it takes."""

    labels: Annotated[tuple[str, ...], Field(description="One per class, by class index.")]
    layers: Annotated[
        tuple[ListedLayer, ...] | None,
        Field(
            description="The possible values of `params.layer`, in the order of computation; null while not known yet."
        ),
    ] = None
    perturbations: Perturbations = None
    ready: Annotated[
        bool, Field(description="True while a worker lives, so that jobs for it run, as KServe's clients ask.")
    ]


class ModelList(BaseModel):
    """The models that the workers offer."""

    default: Annotated[str, Field(description="The model of a job that names none.", examples=["mobilenet_v2"])]
    models: Annotated[list[ModelSummary], Field(description="By name; empty until a worker has started.")]
