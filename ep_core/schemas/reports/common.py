"""Parts that the reports of all tasks share. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ep_core.schemas.model_card import Head, TargetKind
from ep_core.schemas.pixels import InputSize, OfModel


class ModelRef(OfModel):
    """The network that was explained."""

    name: str
    outputs: Annotated[
        Head, Field(description="Meaning of its scores: see the model's card; `score`: no probability.")
    ] = "softmax"
    weights_digest: Annotated[str, Field(description="`sha256:` and the hex digest of the weights.")]
    input_size: InputSize


class TargetRef(BaseModel):
    """The class, or the score, that was explained."""

    kind: Annotated[
        TargetKind,
        Field(
            description="`class`: a class. `contrast`: one class's score minus another's. `text`: a text that the "
            "image is compared with. `box`: a detection. `segment`: the pixels of a class. `similar`: the likeness to "
            "another picture. `score`: a function of the network's outputs."
        ),
    ] = "class"
    index: Annotated[int | None, Field(description="Class index; null where it is no class.")]
    label: str


class ClassScore(BaseModel):
    """Score and probability of a class."""

    index: Annotated[int, Field(description="Class index.")]
    label: str
    score: Annotated[float, Field(description="The network's output for the class, before any softmax or sigmoid.")]
    probability: Annotated[
        float | None, Field(description="Its softmax or sigmoid, by the model's head; null for a score without one.")
    ]


TopClasses = list[ClassScore]
"""The classes that score highest, the best first: five, or all where there are fewer."""


class ReferencePredictions(BaseModel):
    """Predictions for the image as it is, and without anything of it."""

    original: Annotated[TopClasses, Field(description="Top classes of the unperturbed image, the best first.")]
    perturbed: Annotated[TopClasses, Field(description="The same of the fully perturbed image (m = 0 everywhere).")]


class MaskPredictions(BaseModel):
    """Predictions for the image under a mask, and under its complement."""

    preserve: Annotated[TopClasses, Field(description="Top classes when only the mask is kept, the best first.")]
    delete: Annotated[TopClasses, Field(description="Top classes when the mask is removed, the best first.")]


ThresholdRule = Literal["share-of-original", "between", "way-down", "none"]


class Scores(BaseModel):
    """Reference scores (before any softmax or sigmoid) for the target."""

    original: Annotated[float, Field(description="Phi(x), the score of the unperturbed image.")]
    perturbed: Annotated[float, Field(description="The score of the fully perturbed image (m = 0 everywhere).")]
    threshold: Annotated[
        float | None,
        Field(
            description="Phi_0, which the optimal area's score must reach, or for `delete` fall to; null where there "
            "is none."
        ),
    ]
    threshold_rule: Annotated[
        ThresholdRule | None,
        Field(
            description="Its rule. `share-of-original`: tau * original (eq. 3). `between`, where the "
            "original isn't positive: perturbed + tau * (original - perturbed). `way-down`, for `delete`: original - "
            "tau * (original - perturbed). `none`: the perturbed score is no less than the original one. Null in "
            "results from before it was told."
        ),
    ] = None
    original_probability: Annotated[
        float | None,
        Field(
            description="Probability of the target on the unperturbed image, by the model's head; null for a score "
            "without one."
        ),
    ]
    predictions: Annotated[
        ReferencePredictions | None,
        Field(
            description="What the network says of both images, the target or not: its five top classes. Null where "
            "the only score stands for no probability, for channels and comparisons, and in results from before."
        ),
    ] = None


class Timing(BaseModel):
    """Seconds and iterations."""

    queued_s: float | None = None
    run_s: float
    iterations: Annotated[
        int,
        Field(
            description="Optimisation steps per area, as many as cost the same: all of the sweep's, shared out; "
            "alternatives, contrast and rivals not counted."
        ),
    ]


class Engine(BaseModel):
    """Versions and settings that the result depends on."""

    version: str
    torch: str
    device: str
