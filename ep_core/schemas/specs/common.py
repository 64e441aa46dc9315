"""Parameters that all tasks share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, field_validator

from .target import Target

DEFAULT_MODEL = "mobilenet_v2"
MAX_AREAS = 64
MAX_ITERATIONS = 10_000
MOST_WHITE = 2**16 - 1

Variant = Literal["preserve", "delete", "hybrid"]
Preset = Literal["fast", "paper"]
Fit = Literal["crop", "stretch", "whole"]


class CommonSpec(BaseModel):
    """The model and the class that are explained, and how; every task adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    task: str
    model: Annotated[str, Field(min_length=1, max_length=200, description="A name that `GET /v1/models` lists.")] = (
        DEFAULT_MODEL
    )
    target: Annotated[
        Target,
        Field(
            description="Class index, label (exact but for case), or WordNet id of an ImageNet class (`n02133161`); "
            '`{"class": 3, "instead_of": 7}` explains why one class and not another; a model that compares images with '
            'texts also takes `{"text": "a bus in snow", "against": ["a truck"]}`; a detector '
            '`{"box": [40, 60, 320, 400], "label": "dog"}`, the detection at a box (left, top, right, bottom in pixels '
            'of the image); a segmenter `{"segment": "dog", "within": [40, 60, 320, 400]}`, a class in a region, or '
            '`{"segment": "dog"}`, in the pixels that it gives to the class; one that gives embeddings '
            '`{"similar_to": "target_image"}`, the likeness to a second picture; null explains the top class.',
            examples=["American black bear", 295, {"class": 295, "instead_of": "brown bear"}],
        ),
    ] = None
    variant: Annotated[
        Variant,
        Field(
            description="Objective of a mask (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum."
        ),
    ] = "preserve"
    threshold: Annotated[
        float,
        Field(
            gt=0,
            le=10,
            description="tau: how much the smallest sufficient area a* has to reach. Of the score that is kept: tau * "
            "Phi(x) (eq. 3), or, where Phi(x) isn't positive, that share of the way up from the perturbed image's "
            "score. For `delete`: that share of the way down to it. `scores.threshold_rule` says which.",
        ),
    ] = 1.0
    iterations: Annotated[
        StrictInt | None,
        Field(ge=1, le=MAX_ITERATIONS, description="Steps per area, at most; null takes the preset's number."),
    ] = None
    fit: Annotated[
        Fit,
        Field(
            description="Fit of the image to the network's frame: the model's own `crop`, which the network sees "
            "nothing outside of; `whole`: all of the image in its proportions, padded with the network's mean colour; "
            "`stretch`: all of it, its proportions changed."
        ),
    ] = "crop"
    white_level: Annotated[
        StrictInt | None,
        Field(
            ge=1,
            le=MOST_WHITE,
            description="Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a "
            "camera has written 12 bits into 16; null: the largest that the samples can have.",
        ),
    ] = None

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        """Take numbers and arrays of numpy and torch, also in a list, for the numbers that they hold."""
        if isinstance(value, list | tuple):
            return [_python_number(item) for item in value]
        return _python_number(value)


def _python_number(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
