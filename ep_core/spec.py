"""What can be asked of the engine: one pydantic model per task, the single source of truth for all three floors.

Imports no torch: the API validates with these models, the worker stores them and the engine runs them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, field_validator, model_validator

DEFAULT_MODEL = "mobilenet_v2"
DEFAULT_AREAS = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)  # section 4
MAX_AREAS = 64
MAX_ITERATIONS = 10_000

Variant = Literal["preserve", "delete", "hybrid"]
PerturbationKind = Literal["blur", "fade"]
Preset = Literal["fast", "paper"]
Fit = Literal["crop", "stretch"]
Area = Annotated[float, Field(gt=0, lt=1)]


class ExtremalSpec(BaseModel):
    """A sweep of spatial extremal perturbations of one image (section 3)."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"areas": [0.05, 0.1, 0.2, 0.4, 0.6, 0.8]},
                {"target": "American black bear", "areas": [0.1, 0.2], "variant": "hybrid", "preset": "paper"},
            ]
        },
    )

    task: Literal["extremal"] = "extremal"
    model: Annotated[str, Field(min_length=1, max_length=200, description="A name that `GET /v1/models` lists.")] = (
        DEFAULT_MODEL
    )
    target: Annotated[
        StrictInt | Annotated[StrictStr, Field(min_length=1, max_length=200)] | None,
        Field(description="Class index, or label (exact but for case); null explains the top class."),
    ] = None
    areas: Annotated[
        tuple[Area, ...],
        Field(
            min_length=1,
            max_length=MAX_AREAS,
            description="Shares of the image that a mask keeps (or deletes), each in (0, 1), all different; any order.",
        ),
    ] = DEFAULT_AREAS
    variant: Annotated[
        Variant,
        Field(
            description="What a mask maximises (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum."
        ),
    ] = "preserve"
    perturbation: Annotated[
        PerturbationKind, Field(description="What happens outside the mask (3.4): Gaussian blur, or fade to black.")
    ] = "blur"
    preset: Annotated[
        Preset, Field(description="`paper`: as section 4 says, 1600 iterations. `fast`: exact areas in 100 at most.")
    ] = "fast"
    threshold: Annotated[
        float,
        Field(gt=0, le=10, description="tau: the optimal area is the smallest that reaches tau * Phi(x) (eq. 3)."),
    ] = 1.0
    seed: Annotated[
        StrictInt, Field(ge=0, lt=2**63, description="Draws where the masks of `fast` start; `paper` draws nothing.")
    ] = 0
    iterations: Annotated[
        StrictInt | None,
        Field(ge=1, le=MAX_ITERATIONS, description="Steps per area, at most; null takes the preset's number."),
    ] = None
    independent: Annotated[
        bool | None,
        Field(
            description="Whether every area's mask is optimised from the whole image by itself (figure 5), instead of "
            "branching off the next larger area's. Masks of `paper` always are; those of `fast` (null: false) take "
            "more steps then."
        ),
    ] = None
    fit: Annotated[
        Fit,
        Field(
            description="How the image meets the network's frame: the model's own `crop`, or `stretch` the whole image."
        ),
    ] = "crop"
    sigma_max: Annotated[
        float | None,
        Field(
            gt=0,
            le=200,
            description="Strongest perturbation: the blur's sigma in pixels of the network's frame (null: 20 per 224 "
            "of its shorter side), or for fade the share of light taken away, at most 1 (null: 1).",
        ),
    ] = None
    pyramid_levels: Annotated[
        int,
        Field(ge=2, le=64, description="Levels of the perturbation pyramid, L + 1 of footnote 3, the image included."),
    ] = 8

    @field_validator("areas")
    @classmethod
    def _distinct_and_sorted(cls, areas: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(areas)) != len(areas):
            raise ValueError("areas must all be different")
        return tuple(sorted(areas))

    @field_validator("sigma_max")
    @classmethod
    def _fade_at_most_one(cls, sigma_max: float | None, info: object) -> float | None:
        data = getattr(info, "data", {})
        if sigma_max is not None and data.get("perturbation") == "fade" and sigma_max > 1:
            raise ValueError("sigma_max of a fade is a share of light: use at most 1")
        return sigma_max

    @model_validator(mode="after")
    def _paper_is_independent(self) -> ExtremalSpec:
        if self.preset == "paper" and self.independent is False:
            raise ValueError("masks of the preset 'paper' are always independent: leave `independent` out")
        return self


Spec = ExtremalSpec
"""Any task's spec; becomes a union on `task` when there are more tasks."""
