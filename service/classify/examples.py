"""What OpenAPI shows of classifications; their posts are read by hand."""

from __future__ import annotations

from typing import Any

from service.uploads.examples import FILE, ONE_PIXEL
from worker.asks import Question

from .reader import ClassifyBody

_FIELDS = Question.model_json_schema()["properties"]
_BASE64 = {
    "type": "string",
    "contentEncoding": "base64",
    "description": ClassifyBody.model_fields["image"].description,
}


def _object(image: dict[str, Any]) -> dict[str, Any]:
    properties = {"image": image, **_FIELDS}
    return {"type": "object", "required": ["image"], "additionalProperties": False, "properties": properties}


REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": _object(FILE | {"description": "The image file, a part with a filename."}),
        },
        "application/json": {
            "schema": _object(_BASE64),
            "examples": {
                "two": {
                    "summary": "The two best classes (of a one-pixel image)",
                    "value": {"image": ONE_PIXEL, "model": "mobilenet_v2", "top": 2},
                }
            },
        },
    },
}
ANSWER = {
    "model": "mobilenet_v2",
    "classes": [
        {"index": 295, "label": "American black bear", "score": 13.76, "probability": 0.869},
        {"index": 294, "label": "brown bear", "score": 11.27, "probability": 0.072},
    ],
}
