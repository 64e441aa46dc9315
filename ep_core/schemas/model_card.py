"""Model cards: descriptions of models that are not loaded. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from .perturbations import PerturbationKind, Perturbations
from .trained import Parameters, StatedAccuracy, WeightBytes, WeightsHere
from .warnings import ResultWarning

Source = Literal["torchvision", "timm", "huggingface", "open_clip", "entry_point", "file"]
Head = Literal["softmax", "sigmoid", "logit", "score", "embedding"]
"""The meaning of a network's scores: of exclusive classes, of classes that each are there or not, of a single such
class, a number without a probability, or all of them one vector that stands for the image."""


TargetKind = Literal["class", "contrast", "text", "box", "segment", "similar", "score"]
"""A class, a class instead of another, a text, a detection, the pixels of a class, the likeness to another picture, or
a function of the network's outputs."""
LayerUse = Literal["channels", "grad_cam", "excitation_backprop"]
"""A reader of a layer: the tasks on channels, Grad-CAM, or both kinds of excitation backprop."""


CLASS_TARGETS: tuple[TargetKind, ...] = ("class", "contrast")
"""Kinds of target that any model of classes takes."""
EMBEDDING_TARGETS: tuple[TargetKind, ...] = ("similar",)
"""Those of a model whose outputs are embeddings."""
BOX_TARGETS: tuple[TargetKind, ...] = (*CLASS_TARGETS, "box")
"""Kinds of target that a detector takes."""
SEGMENT_TARGETS: tuple[TargetKind, ...] = (*CLASS_TARGETS, "segment")
"""Kinds of target that a segmenter takes."""


Outputs = Annotated[
    Head,
    Field(
        description="Meaning of its scores. `softmax`: they give probabilities of classes that exclude each other; "
        "`sigmoid`: of classes of which several may be there; `logit`: of a single one. `embedding`: it has no "
        "classes, and its outputs are a vector that is compared with another picture's."
    ),
]
Targets = Annotated[
    tuple[TargetKind, ...],
    Field(
        description="The kinds of `params.target` that it takes: `class`, `contrast` (a class instead of another), "
        "`text`, `box` (a detection), `segment` (the pixels of a class), `similar` (the likeness to a second picture).",
        examples=[["class", "contrast"]],
    ),
]


class LayerCard(BaseModel):
    """A layer whose channels can be explained."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(description="Its name in `params.layer`.", examples=["features.13"])]
    type: Annotated[str, Field(description="Its module's class.", examples=["InvertedResidual"])]
    channels: Annotated[int, Field(description="K.", examples=[96])]
    height: Annotated[int, Field(description="Of its map, for an input of the model's size.", examples=[14])]
    width: Annotated[int, Field(description="Of its map, for an input of the model's size.", examples=[14])]


class TokenLayout(BaseModel):
    """Order of the values of a layer whose channels come last."""

    model_config = ConfigDict(frozen=True)

    order: Annotated[
        Literal["channels_last", "tokens"],
        Field(description="`channels_last`: N x H x W x K; `tokens`: N x T x K, the places row by row."),
    ]
    class_tokens: Annotated[
        int,
        Field(
            description="Tokens before those of the places: class tokens and registers. No map shows them, and no "
            "mask covers them.",
            examples=[1],
        ),
    ] = 0
    queries: Annotated[
        int, Field(description="Tokens behind those of the places, T - `class_tokens` - H W: a detector's queries.")
    ] = 0


class ListedLayer(LayerCard):
    """A layer as a model lists it."""

    tokens: Annotated[
        TokenLayout | None,
        Field(description="How a transformer's layer keeps its map; null where it is K x H x W, as a convolution's."),
    ] = None

    default_for: Annotated[
        tuple[LayerUse, ...] | None,
        Field(
            description="What reads this layer where the request names none (`channels`: also `class_channels`; "
            "`excitation_backprop`: also the contrastive one); null in records of earlier versions.",
            examples=[["channels", "excitation_backprop"]],
        ),
    ] = None


class Surveyed(NamedTuple):
    """Properties of a model's network that it has without its weights."""

    layers: tuple[ListedLayer, ...]
    """Those that have channels, in the order of computation."""
    perturbations: tuple[PerturbationKind, ...]
    """Those that it takes."""


class ModelCard(BaseModel):
    """A model that can be explained."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(description="Its name in requests.")]
    source: Annotated[Source, Field(description="The source of its architecture.")]
    input_size: Annotated[tuple[int, int], Field(description="Height and width of the network's frame, in pixels.")]
    labels: Annotated[tuple[str, ...], Field(description="One per class, by class index.")]
    outputs: Outputs = "softmax"
    targets: Targets = CLASS_TARGETS
    weights: Annotated[str | None, Field(description="The weights' name in their library, or the file's name.")] = None
    parameters: Parameters = None
    weight_bytes: WeightBytes = None
    weights_here: WeightsHere = None
    accuracy: StatedAccuracy = None
    description: Annotated[str, Field(description="The operator's words.")] = ""
    warnings: Annotated[
        tuple[ResultWarning, ...], Field(description="Reasons to doubt answers about it. Often none.")
    ] = ()
    layers: Annotated[
        tuple[ListedLayer, ...] | None,
        Field(description="Those that have channels, in the order of computation; null while not known yet."),
    ] = None
    perturbations: Perturbations = None


def default_head(scores: int) -> Head:
    """Return the head that is assumed of a network of so many scores: a softmax of one is always 1."""
    return "logit" if scores == 1 else "softmax"
