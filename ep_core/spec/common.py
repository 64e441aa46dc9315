"""What all tasks are asked alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, field_validator

DEFAULT_MODEL = "mobilenet_v2"
MAX_AREAS = 64
MAX_ITERATIONS = 10_000

Variant = Literal["preserve", "delete", "hybrid"]
PerturbationKind = Literal["blur", "fade"]
Preset = Literal["fast", "paper"]
Fit = Literal["crop", "stretch"]


class CommonSpec(BaseModel):
    """The model and the class that are explained, and how; every task adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    task: str
    model: Annotated[str, Field(min_length=1, max_length=200, description="A name that `GET /v1/models` lists.")] = (
        DEFAULT_MODEL
    )
    target: Annotated[
        StrictInt | Annotated[StrictStr, Field(min_length=1, max_length=200)] | None,
        Field(description="Class index, or label (exact but for case); null explains the top class."),
    ] = None
    variant: Annotated[
        Variant,
        Field(
            description="What a mask maximises (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum."
        ),
    ] = "preserve"
    threshold: Annotated[
        float,
        Field(gt=0, le=10, description="tau: the optimal area is the smallest that reaches tau * Phi(x) (eq. 3)."),
    ] = 1.0
    iterations: Annotated[
        StrictInt | None,
        Field(ge=1, le=MAX_ITERATIONS, description="Steps per area, at most; null takes the preset's number."),
    ] = None
    fit: Annotated[
        Fit,
        Field(
            description="How the image meets the network's frame: the model's own `crop`, or `stretch` the whole image."
        ),
    ] = "crop"

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        """Take numbers and arrays of numpy and torch, also in a list, for the numbers that they hold."""
        if isinstance(value, list | tuple):
            return [_python_number(item) for item in value]
        return _python_number(value)


def _python_number(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
