"""Spec of `task: "extremal"`: spatial masks."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, field_validator, model_validator

from ep_core.schemas.perturbations import PerturbationKind

from .common import MAX_AREAS, CommonSpec, Preset

DEFAULT_AREAS = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)  # section 4

MAX_ALTERNATIVES = 4


class Percentage(ValueError):
    """A percentage where a share of the image belongs.

    Attributes:
        given: the number, more than 1 and at most 100.
    """

    def __init__(self, given: float) -> None:
        super().__init__(f"{given:g} is not a share of the image: write {given / 100:g} for {given:g} %")
        self.given = given


def _no_percentage(area: object) -> object:
    try:
        share = float(area)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return area
    if 1 < share <= 100:
        raise Percentage(share)
    return area


Area = Annotated[float, Field(gt=0, lt=1), BeforeValidator(_no_percentage)]


class SpatialSpec(CommonSpec):
    """A sweep of spatial extremal perturbations of one image (section 3)."""

    areas: Annotated[
        tuple[Area, ...],
        Field(
            min_length=1,
            max_length=MAX_AREAS,
            description="Shares of the image that a mask keeps (or deletes), each in (0, 1), all different; any order.",
        ),
    ] = DEFAULT_AREAS
    perturbation: Annotated[
        PerturbationKind,
        Field(
            description="The perturbation outside the mask (3.4): Gaussian `blur`, or `fade` to black. `drop` leaves "
            "out the patches of a vision transformer (preset `fast`; the model's `perturbations` say where it can be "
            "had): masks are of whole patches then."
        ),
    ] = "blur"
    preset: Annotated[
        Preset, Field(description="`paper`: as section 4 says, 1600 iterations. `fast`: exact areas in 100 at most.")
    ] = "fast"
    seed: Annotated[
        StrictInt, Field(ge=0, lt=2**63, description="Draws where the masks of `fast` start; `paper` draws nothing.")
    ] = 0
    independent: Annotated[
        StrictBool | None,
        Field(
            description="Whether every area's mask is optimised from the whole image by itself (figure 5), instead of "
            "starting where the walks of the whole sweep agree. Masks of `paper` always are; those of `fast` (null: "
            "false) vary more with the seed then."
        ),
    ] = None
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
    def _drop_is_fast(self) -> Self:
        if self.perturbation != "drop":
            return self
        if self.preset == "paper":
            raise ValueError(
                "perturbation 'drop' is for the preset 'fast': masks of 'paper' are smooth, not of patches"
            )
        if self.sigma_max is not None:
            raise ValueError("perturbation 'drop' has no strength: leave `sigma_max` out")
        return self

    @model_validator(mode="after")
    def _paper_is_independent(self) -> Self:
        if self.preset == "paper" and self.independent is False:
            raise ValueError("masks of the preset 'paper' are always independent: leave `independent` out")
        return self


class ExtremalSpec(SpatialSpec):
    """A sweep of spatial extremal perturbations of one image (section 3)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"areas": [0.05, 0.1, 0.2, 0.4, 0.6, 0.8]},
                {"target": "American black bear", "areas": [0.1, 0.2], "variant": "hybrid", "preset": "paper"},
            ]
        },
    )

    task: Literal["extremal"] = "extremal"
    check_extremality: Annotated[
        StrictBool,
        Field(
            description="Whether to compare each mask's score with those of rivals of the same area: the top areas of "
            "quick methods and random smooth masks. With `fast`, a mask that is beaten gives way to what the search "
            "makes of its rival."
        ),
    ] = True
    alternatives: Annotated[
        StrictInt,
        Field(
            ge=0,
            le=MAX_ALTERNATIVES,
            description="Other sufficient masks of the area a* that are sought, distinct from the optimal one (`fast`, "
            "variants that preserve).",
        ),
    ] = 1
    contrast: Annotated[
        StrictBool,
        Field(
            description="Whether to find the mask that most lifts the target above its nearest rival class (`fast`)."
        ),
    ] = True

    def masks_only(self) -> Self:
        """Return the same sweep without the blocks beside its masks: comparisons, alternatives, contrast."""
        return self.model_copy(update={"check_extremality": False, "alternatives": 0, "contrast": False})
