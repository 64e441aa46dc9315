"""OpenAPI's request bodies and examples of classifications, whose bodies the endpoints parse themselves."""

from __future__ import annotations

from typing import Any

from service.http.json_schema import BASE64, FILE, reference, without_null
from service.uploads.examples import ONE_PIXEL
from worker.broker.classify_queries import ClassifyParams

from .reader import ClassifyBody

_FIELDS = ClassifyParams.model_json_schema()["properties"]


_URL = {"type": "string", "description": ClassifyBody.model_fields["image_url"].description}


def _object(image: dict[str, Any], fields: dict[str, Any], description: str) -> dict[str, Any]:
    """Return the schema of a body; what has to be there stands as in those of jobs."""
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": {"image": image, "image_url": _URL, **fields},
        "if": {"not": {"required": ["image"]}},
        "then": {"required": ["image_url"]},
    }


FORM, JSON = "ClassifyForm", "ClassifyBody"
SCHEMAS = {
    FORM: _object(
        FILE | {"description": "The image file, a part with a filename."},
        {name: without_null(schema) for name, schema in _FIELDS.items()},
        "An image and parameters, as a form.",
    ),
    JSON: _object(
        BASE64 | {"description": ClassifyBody.model_fields["image"].description},
        _FIELDS,
        "An image and parameters, as JSON.",
    ),
}
"""By the names under which OpenAPI lists them."""

REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": reference(FORM)},
        "application/json": {
            "schema": reference(JSON),
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
    "warnings": [],
}
