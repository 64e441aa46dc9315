"""Report of a comparison, as JSON. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ep_core.schemas.pixels import FrameBox, ImageSize, OnImage
from ep_core.schemas.specs import CompareSpec
from ep_core.schemas.warnings import Warnings

from .common import Engine, ModelRef, Scores, TargetRef, Timing
from .extremal import CurvePoint, Extremality
from .report import TaskReport

COMPARISON_FILE = "comparison.png"


class ComparedMethod(BaseModel):
    """One method's answer."""

    method: Annotated[str, Field(description="Its name in `params.methods`.")]
    title: Annotated[str, Field(description="Its usual name.")] = ""
    source: Annotated[str, Field(description="Its publication.")] = ""
    layer: Annotated[
        str | None,
        Field(description="The layer that it read: `params.layer`, else its default; null: it reads none."),
    ] = None
    seconds: Annotated[float | None, Field(description="Seconds that its map took; null where it has none.")] = None
    curve: Annotated[
        list[CurvePoint],
        Field(
            description="The scores of keeping and of deleting its top areas, as smooth masks like the extremal ones "
            "(their links are those of `extremal` only)."
        ),
    ] = []
    unavailable: Annotated[str | None, Field(description="Why it says nothing of this model.")] = None


class CompareReport(OnImage, TaskReport, BaseModel):
    """A finished comparison (`task: "compare"`)."""

    task: Literal["compare"] = "compare"
    params: Annotated[CompareSpec, Field(description="As run, with the defaults filled in.")]
    model: ModelRef
    target: TargetRef
    scores: Scores
    methods: Annotated[list[ComparedMethod], Field(description="In the requested order.")]
    optimal_area: Annotated[
        float | None,
        Field(
            description="a* of the extremal masks (eq. 3); null where none reaches the threshold, where there is none, "
            "or without `extremal`."
        ),
    ]
    extremality: Annotated[
        Extremality | None,
        Field(description="The extremal masks beside all other methods' top areas and random ones of their areas."),
    ]
    image_size: ImageSize
    frame_box: FrameBox = None
    warnings: Warnings = []
    timing: Annotated[Timing, Field(description="`iterations`: of the extremal masks.")]
    engine: Engine


def map_name(method: str) -> str:
    """Return the file name of a method's map."""
    return f"maps/{method}.png"


def heat_name(method: str) -> str:
    """Return the file name of a method's map as heat over the image."""
    return f"heat/{method}.png"
