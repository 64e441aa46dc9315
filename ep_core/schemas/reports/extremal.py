"""Report of an extremal sweep, as JSON: the engine fills it, the worker stores it and the API serves it.

Imports no torch.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, computed_field

from ep_core.schemas.pixels import DEPRECATED, FrameBox, ImageSize, OnImage
from ep_core.schemas.specs import ExtremalSpec, Variant
from ep_core.schemas.warnings import Warnings

from .common import Engine, MaskPredictions, ModelRef, Scores, TargetRef, Timing
from .report import TaskReport


class CurvePoint(BaseModel):
    """One area of the sweep."""

    area: Annotated[float, Field(description="The share of the image that was asked for.")]
    measured_area: Annotated[float, Field(description="Mean of the mask over the network's frame.")]
    preserve: Annotated[float, Field(description="Phi(m x): score when only the mask is kept.")]
    delete: Annotated[float, Field(description="Phi((1-m) x): score when the mask is removed.")]
    preserve_probability: Annotated[
        float | None,
        Field(description="Probability of the target under m x, by its head; null for a score without one."),
    ]
    delete_probability: Annotated[
        float | None, Field(description="The same under (1-m) x; null also in results from before.")
    ] = None
    binariness: Annotated[float, Field(description="Mean of m(1-m): 0 for a binary mask, at most 0.25.")]
    predictions: Annotated[
        MaskPredictions | None,
        Field(description="What the network says of m x and of (1-m) x; null where `scores.predictions` is."),
    ] = None


class ExtremalityPoint(BaseModel):
    """Score of an area's mask beside the scores of rival masks of the same measured area."""

    area: Annotated[float, Field(description="The share of the image that was asked for.")]
    measured_area: Annotated[
        float | None,
        Field(
            description="Mean of our mask, which is the area that rivals have, too. Null in results from before: there "
            "they have the area that was asked for."
        ),
    ] = None
    score: Annotated[
        float,
        Field(description="What the variant maximises, at our mask: use `objective`.", json_schema_extra=DEPRECATED),
    ]
    rank: Annotated[int, Field(description="1: no rival scores higher.")]
    of: Annotated[int, Field(description="How many masks were compared, ours included.")]
    best_rival: Annotated[str, Field(description="The rival that scores highest: a method, or `random`.")]
    best_rival_score: Annotated[
        float,
        Field(
            description="What the variant maximises, at its mask: use `best_rival_objective`.",
            json_schema_extra=DEPRECATED,
        ),
    ]
    best_rival_area: Annotated[float | None, Field(description="Mean of its mask; null in results from before.")] = None
    beaten_by: Annotated[list[str], Field(description="The rivals that score higher, best first.")] = []
    found_by: Annotated[
        str,
        Field(
            description="Where our mask was found: `walks`, the sweep's own search; a rival that scored higher than "
            "that, and from which the search went on; `alternative` or `contrast`, where the search for that block "
            "found a mask that scores higher."
        ),
    ] = "walks"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def objective(self) -> float:
        """Objective of the variant at our mask: `preserve`, `-delete`, or for `hybrid` the sum of both."""
        return self.score

    @computed_field  # type: ignore[prop-decorator]
    @property
    def best_rival_objective(self) -> float:
        """The same at the mask of `best_rival`."""
        return self.best_rival_score


class Extremality(BaseModel):
    """Extremality: a comparison of our masks with rivals of the same area and the same smoothness (eq. 2)."""

    extremal: Annotated[
        bool, Field(description="False: at some area a rival scores higher, so that our mask is not extremal.")
    ]
    methods: Annotated[list[str], Field(description="The methods whose top areas were compared.")]
    random_masks: Annotated[int, Field(description="How many random smooth masks were compared at each area.")]
    tolerance: Annotated[
        float, Field(description="By how much a rival must score higher, as a share of our mask's score (or of 1).")
    ] = 0.0
    points: list[ExtremalityPoint]


class StabilityPoint(BaseModel):
    """Agreement of the walks about an area."""

    area: float
    agreement: Annotated[
        float,
        Field(description="Intersection over union of the top areas of what survives in either half: 1 if equal."),
    ]
    spread: Annotated[
        float, Field(description="How far the scores of these two masks are apart: about how far ours would vary.")
    ]


class Stability(BaseModel):
    """Stability of the result: agreement of the two halves of the walks, each taken as a run of its own."""

    walks: Annotated[int, Field(description="How many walks there were, both halves together.")]
    saliency_correlation: Annotated[
        float, Field(description="Rank correlation of what survives in either half of the walks, over the frame.")
    ]
    optimal_areas: Annotated[
        tuple[float | None, float | None],
        Field(
            description="a* as a range: the smallest area that reaches the threshold if every score were higher by its "
            "spread, and if it were lower; null where none does."
        ),
    ]
    points: Annotated[list[StabilityPoint], Field(description="One per area, by increasing area.")]


class Alternative(BaseModel):
    """Another sufficient mask: it reaches the threshold too, and shares little with the ones before it."""

    area: float
    measured_area: float
    preserve: Annotated[float, Field(description="Phi(m x): score when only this mask is kept.")]
    delete: Annotated[float, Field(description="Phi((1-m) x): score when this mask is removed.")]
    overlap: Annotated[
        float,
        Field(description="Largest intersection over union with the optimal mask and the alternatives before it."),
    ]
    predictions: Annotated[MaskPredictions | None, Field(description="As on the curve, of this mask.")] = None


class Contrast(BaseModel):
    """The mask that most lifts the target above its nearest rival class: why this and not that."""

    rival: Annotated[TargetRef, Field(description="The class that scores highest beside the target.")]
    area: float
    measured_area: float
    original: Annotated[float, Field(description="f_target - f_rival of the image, before any softmax or sigmoid.")]
    preserve: Annotated[float, Field(description="The same when only the mask is kept: what the mask maximises.")]
    target_score: Annotated[float, Field(description="f_target when only the mask is kept.")]
    rival_score: Annotated[float, Field(description="f_rival when only the mask is kept.")]
    predictions: Annotated[MaskPredictions | None, Field(description="As on the curve, of this mask.")] = None


class ExtremalReport(OnImage, TaskReport, BaseModel):
    """A finished sweep (`task: "extremal"`)."""

    task: Literal["extremal"] = "extremal"
    params: Annotated[ExtremalSpec, Field(description="As run, with the defaults filled in.")]
    model: ModelRef
    target: TargetRef
    scores: Scores
    curve: Annotated[list[CurvePoint], Field(description="One point per area, by increasing area.")]
    optimal_area: Annotated[
        float | None,
        Field(description="a* (eq. 3); null where no area of the sweep reaches the threshold, or where there is none."),
    ]
    monotonic: Annotated[bool, Field(description="Whether the score orders as the areas do below a* (eq. 8).")]
    extremality: Annotated[
        Extremality | None, Field(description="The masks beside rivals of their areas; null where not asked for.")
    ] = None
    stability: Annotated[
        Stability | None,
        Field(description="How far the answer varies; null for masks that no walks led to (`paper`, `independent`)."),
    ] = None
    alternatives: Annotated[
        list[Alternative],
        Field(description="Other masks of the area a*, each sufficient by itself: either the optimal mask, or these."),
    ] = []
    contrast: Annotated[
        Contrast | None, Field(description="What speaks for the target and against its nearest rival class.")
    ] = None
    image_size: ImageSize
    frame_box: FrameBox = None
    warnings: Warnings = []
    timing: Timing
    engine: Engine


class PartialPoint(BaseModel):
    """An area of a sweep that is still running."""

    area: float
    measured_area: float
    preserve: Annotated[
        float | None, Field(description="As on the curve, of the current mask; null unless the variant is `preserve`.")
    ] = None
    delete: Annotated[
        float | None, Field(description="As on the curve, of the current mask; null unless the variant is `delete`.")
    ] = None
    score: Annotated[
        float,
        Field(
            description="What the variant maximises, at the current mask: use `preserve`, `delete` or `objective`.",
            json_schema_extra=DEPRECATED,
        ),
    ]

    @classmethod
    def of(cls, area: float, *, measured_area: float, objective: float, variant: Variant) -> Self:
        """Return a point from what its variant maximises."""
        preserve = objective if variant == "preserve" else None
        delete = -objective if variant == "delete" else None
        return cls(area=area, measured_area=measured_area, preserve=preserve, delete=delete, score=objective)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def objective(self) -> float:
        """Objective of the variant: `preserve`, `-delete`, or for `hybrid` their sum, whose parts are known at last."""
        return self.score
