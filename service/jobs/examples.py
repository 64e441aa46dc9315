"""What OpenAPI shows of requests and results."""

from __future__ import annotations

from typing import Any

from ep_core.report import (
    CurvePoint,
    Engine,
    ExtremalReport,
    ModelRef,
    Scores,
    TargetRef,
    Timing,
)
from ep_core.spec import ExtremalSpec

_PARAMS = {"target": "American black bear", "areas": [0.05, 0.1, 0.2]}
_PARAMS_SCHEMA = {"$ref": f"#/components/schemas/{ExtremalSpec.__name__}"}
_ID = "0f8fad5bd9cb469fa165708677289501"
_ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"  # a PNG

REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "image": {
                        "type": "string",
                        "format": "binary",
                        "description": "The image file, one part with a filename.",
                    },
                    "params": _PARAMS_SCHEMA,
                },
            },
            "encoding": {"params": {"contentType": "application/json"}},
        },
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "additionalProperties": False,
                "properties": {
                    "image": {
                        "type": "string",
                        "contentEncoding": "base64",
                        "description": "The image file in base64, bare or as a `data:` URL.",
                    },
                    "params": _PARAMS_SCHEMA,
                },
            },
            "examples": {
                "areas": {
                    "summary": "A class by its label and three areas (a one-pixel image)",
                    "value": {
                        "image": _ONE_PIXEL,
                        "params": _PARAMS,
                    },
                }
            },
        },
    },
}


def _point(area: float, measured: float, preserve: float, delete: float, probability: float) -> CurvePoint:
    return CurvePoint(
        area=area,
        measured_area=measured,
        preserve=preserve,
        delete=delete,
        preserve_probability=probability,
        binariness=0.04,
        mask=f"/v1/jobs/{_ID}/masks/{area}.png",
        overlay=f"/v1/jobs/{_ID}/overlays/{area}.png",
    )


REPORT: dict[str, Any] = ExtremalReport(
    id=_ID,
    params=ExtremalSpec.model_validate(_PARAMS),
    model=ModelRef(name="mobilenet_v2", weights_digest="sha256:b0353104", input_size=(224, 224)),
    target=TargetRef(index=295, label="American black bear"),
    scores=Scores(original=13.76, perturbed=1.12, threshold=13.76, original_probability=0.869),
    curve=[
        _point(0.05, 0.05, 6.7, 9.5, 0.008),
        _point(0.1, 0.1, 9.33, 5.31, 0.09),
        _point(0.2, 0.2, 14.12, 3.72, 0.847),
    ],
    optimal_area=0.2,
    monotonic=True,
    image_size=(427, 640),
    timing=Timing(queued_s=0.1, run_s=8.2, iterations=73),
    engine=Engine(version="0.1.0", torch="2.14.1", device="cpu"),
    artifacts={
        "saliency": f"/v1/jobs/{_ID}/saliency.png",
        "curve": f"/v1/jobs/{_ID}/curve.svg",
        "bundle": f"/v1/jobs/{_ID}/bundle.zip",
    },
).model_dump(mode="json")
