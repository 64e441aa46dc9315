"""Examples of jobs and results for OpenAPI."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ep_core.schemas.model_card import LayerCard
from ep_core.schemas.reports.channels import (
    ChannelPoint,
    ChannelsReport,
    ChosenChannel,
    ClassChannel,
    ClassChannelsReport,
    ClassImage,
    Excited,
)
from ep_core.schemas.reports.common import (
    ClassScore,
    Engine,
    MaskPredictions,
    ModelRef,
    ReferencePredictions,
    Scores,
    TargetRef,
    Timing,
)
from ep_core.schemas.reports.comparison import ComparedMethod, CompareReport
from ep_core.schemas.reports.extremal import (
    Alternative,
    Contrast,
    CurvePoint,
    Extremality,
    ExtremalityPoint,
    ExtremalReport,
    PartialPoint,
    Stability,
    StabilityPoint,
)
from ep_core.schemas.specs import ChannelsSpec, ClassChannelsSpec, CompareSpec, ExtremalSpec
from ep_core.schemas.tasks import Report
from service.http.links import Links
from service.uploads.examples import CHANNELS, CLASS, COMPARE, PARAMS
from worker.broker.contract import JobProgress, JobState

from .links import linked
from .schemas import JobLinks, JobRead

_ID = "0f8fad5bd9cb469fa165708677289501"


def _top(*classes: tuple[int, str, float, float]) -> list[ClassScore]:
    """Return the first of some top classes, each given as its index, label, score and probability."""
    return [
        ClassScore(index=index, label=label, score=score, probability=probability)
        for index, label, score, probability in classes
    ]


def _point(
    area: float,
    measured: float,
    preserve: float,
    delete: float,
    probability: float,
    predictions: MaskPredictions | None = None,
) -> CurvePoint:
    return CurvePoint(
        area=area,
        measured_area=measured,
        preserve=preserve,
        delete=delete,
        preserve_probability=probability,
        binariness=0.04,
        predictions=predictions,
    )


def _as_answered(report: Report) -> dict[str, Any]:
    return linked(report, _ID, Links()).model_dump(mode="json")


_COMMON: dict[str, Any] = {
    "model": ModelRef(name="mobilenet_v2", weights_digest="sha256:b0353104", input_size=(224, 224)),
    "target": TargetRef(index=295, label="American black bear"),
    "timing": Timing(queued_s=0.1, run_s=8.2, iterations=73),
    "engine": Engine(version="0.5.0", torch="2.14.1", device="cpu"),
}
_LAYER = LayerCard(name="features.18", type="Conv2dNormActivation", channels=1280, height=7, width=7)

REPORT: dict[str, Any] = _as_answered(
    ExtremalReport(
        **_COMMON,
        params=ExtremalSpec.model_validate(PARAMS),
        scores=Scores(
            original=13.76,
            perturbed=1.12,
            threshold=13.76,
            threshold_rule="share-of-original",
            original_probability=0.869,
            predictions=ReferencePredictions(
                original=_top((295, "American black bear", 13.76, 0.869), (367, "chimpanzee", 10.18, 0.024)),
                perturbed=_top((18, "magpie", 4.31, 0.021), (88, "macaw", 4.05, 0.016)),
            ),
        ),
        curve=[
            _point(0.05, 0.05, 6.7, 9.5, 0.008),
            _point(0.1, 0.1, 9.33, 5.31, 0.09),
            _point(
                0.2,
                0.2,
                14.12,
                3.72,
                0.847,
                MaskPredictions(
                    preserve=_top((295, "American black bear", 14.12, 0.847), (297, "sloth bear", 10.96, 0.036)),
                    delete=_top((18, "magpie", 9.78, 0.34), (88, "macaw", 9.62, 0.29)),
                ),
            ),
        ],
        optimal_area=0.2,
        monotonic=True,
        stability=Stability(
            walks=12,
            saliency_correlation=0.89,
            optimal_areas=(0.2, 0.2),
            points=[
                StabilityPoint(area=0.05, agreement=0.31, spread=2.6),
                StabilityPoint(area=0.1, agreement=0.62, spread=0.6),
                StabilityPoint(area=0.2, agreement=0.75, spread=0.3),
            ],
        ),
        alternatives=[
            Alternative(
                area=0.2,
                measured_area=0.2,
                preserve=13.94,
                delete=9.81,
                overlap=0.06,
            )
        ],
        contrast=Contrast(
            rival=TargetRef(index=367, label="chimpanzee"),
            area=0.2,
            measured_area=0.2,
            original=3.58,
            preserve=9.46,
            target_score=14.02,
            rival_score=4.56,
        ),
        image_size=(427, 640),
        frame_box=(133.2, 26.7, 506.8, 400.3),
    )
)

CHANNELS_REPORT: dict[str, Any] = _as_answered(
    ChannelsReport(
        **_COMMON,
        params=ChannelsSpec.model_validate(CHANNELS),
        layer=_LAYER,
        scores=Scores(
            original=13.76,
            perturbed=-0.02,
            threshold=13.76,
            threshold_rule="share-of-original",
            original_probability=0.869,
        ),
        curve=[
            ChannelPoint(
                area=count,
                measured_area=count,
                preserve=kept,
                delete=13.74 - kept,
                preserve_probability=probability,
                binariness=0,
            )
            for count, kept, probability in ((12, 3.42, 0.002), (121, 16.5, 0.97), (1280, 13.76, 0.869))
        ],
        optimal_area=121,
        monotonic=True,
        channels=[ChosenChannel(channel=997, first_area=12, weight=1, contribution=0.41)],
        image_size=(427, 640),
        frame_box=(133.2, 26.7, 506.8, 400.3),
    )
)

CLASS_REPORT: dict[str, Any] = _as_answered(
    ClassChannelsReport(
        **_COMMON,
        params=ClassChannelsSpec.model_validate(CLASS),
        layer=_LAYER,
        images=[
            ClassImage(
                index=k,
                name=f"bear{k}.jpg",
                original=13.76,
                probability=0.869,
                optimal_area=121,
                threshold_rule="share-of-original",
            )
            for k in range(2)
        ],
        channels=[
            ClassChannel(
                channel=channel,
                weight=1,
                images=[Excited(image=1, activation=1.9), Excited(image=0, activation=1.2)],
            )
            for channel in (997, 511)
        ],
        weights=[0.0, 0.5, 1.0],
    )
)

COMPARE_REPORT: dict[str, Any] = _as_answered(
    CompareReport(
        **_COMMON,
        params=CompareSpec.model_validate(COMPARE),
        scores=Scores(
            original=13.76,
            perturbed=1.12,
            threshold=13.76,
            threshold_rule="share-of-original",
            original_probability=0.869,
        ),
        methods=[
            ComparedMethod(
                method="grad_cam",
                title="Grad-CAM",
                source="Selvaraju et al., ICCV 2017",
                layer="features",
                seconds=0.06,
                curve=[_point(0.1, 0.1, 7.9, 6.2, 0.05), _point(0.2, 0.2, 12.4, 4.4, 0.61)],
            ),
            ComparedMethod(
                method="extremal",
                title="Extremal perturbations",
                source="Fong et al., ICCV 2019",
                seconds=12.6,
                curve=[_point(0.1, 0.1, 9.33, 5.31, 0.09), _point(0.2, 0.2, 14.12, 3.72, 0.847)],
            ),
        ],
        optimal_area=0.2,
        extremality=Extremality(
            extremal=True,
            methods=["grad_cam"],
            random_masks=16,
            tolerance=0.001,
            points=[
                ExtremalityPoint(
                    area=0.2,
                    measured_area=0.2,
                    score=14.12,
                    rank=1,
                    of=18,
                    best_rival="grad_cam",
                    best_rival_score=12.4,
                    best_rival_area=0.2,
                )
            ],
        ),
        image_size=(427, 640),
        frame_box=(133.2, 26.7, 506.8, 400.3),
    )
)

JOB: dict[str, Any] = JobRead(
    id=_ID,
    status=JobState.RUNNING,
    params=ExtremalSpec.model_validate(PARAMS),
    created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
    started_at=datetime(2026, 1, 31, 12, 0, 1, tzinfo=UTC),
    attempt=1,
    progress=JobProgress(iteration=40, total=100, fraction=0.4, eta_s=21.5),
    partial_curve=[PartialPoint.of(0.05, measured_area=0.061, objective=9.7, variant="preserve")],
    links=JobLinks(self_=f"/v1/jobs/{_ID}", dashboard=f"/#/job/{_ID}", events=f"/v1/jobs/{_ID}/events"),
).model_dump(mode="json", by_alias=True)

JOB_CONTENT = {"content": {"application/json": {"example": JOB}}}
"""Answers that are a job, for OpenAPI."""

REPORTS: dict[str, Any] = {
    "extremal": {"summary": "Areas of the image", "value": REPORT},
    "channels": {"summary": "Channels of a layer", "value": CHANNELS_REPORT},
    "class_channels": {"summary": "Channels of a class", "value": CLASS_REPORT},
    "compare": {"summary": "Several methods", "value": COMPARE_REPORT},
}
