"""OpenAPI's request bodies and examples of both protocols, whose bodies the endpoints parse themselves."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from ep_core.schemas.targets import TARGET_PARTS
from service.classify.examples import ANSWER
from service.http.json_schema import BASE64, REFERENCE, Schema, reference
from service.http.media_types import BYTES as OCTETS
from service.uploads.body import JobBody
from service.uploads.examples import ONE_PIXEL
from service.uploads.options import JobOptions
from worker.broker.classify_queries import ClassifyParams

from .instances import DEFAULT_FILES, FILES
from .schemas import InferRequest

_FILE: Schema = {
    "type": "object",
    "description": "An image file.",
    "required": ["b64"],
    "additionalProperties": False,
    "properties": {"b64": BASE64},
}
_NUMBER: Schema = {"type": "number"}
_PIXEL: Schema = {"anyOf": [{"type": "array", "items": _NUMBER}, _NUMBER]}
_NUMBERS: Schema = {"type": "array", "items": {"type": "array", "items": _PIXEL}}
_FILES_FIELD: Schema = {
    "type": "array",
    "items": {"type": "string"},
    "default": list(DEFAULT_FILES),
    "description": "Files to return, as the job's `links` call them.",
}


def _picture(description: str) -> Schema:
    return {"anyOf": [reference("InstanceFile"), _NUMBERS], "description": description}


def _instance(description: str, fields: dict[str, Any], *, more: bool) -> Schema:
    image = _picture("A file, or H x W x 3 or H x W numbers: whole ones of 0 to 255, or fractions of 0 to 1.")
    return {
        "type": "object",
        "description": description,
        "required": ["image"],
        "additionalProperties": more,
        "properties": {"image": image, **fields},
    }


def _explain_instance() -> Schema:
    pictures = {name: _picture(str(JobBody.model_fields[name].description)) for name in TARGET_PARTS}
    options = JobOptions.model_json_schema(ref_template=REFERENCE)["properties"]
    about = "An image and, beside it, what to ask of it: the fields of `params` of `POST /v1/jobs`, but for `model`."
    return _instance(about, {**pictures, FILES: _FILES_FIELD, **options}, more=True)


def _predict_instance() -> Schema:
    fields = ClassifyParams.model_json_schema()["properties"]
    del fields["model"]
    return _instance("An image and how to look at it.", fields, more=False)


def _instances(of: str, description: str) -> Schema:
    instances = {"type": "array", "items": reference(of), "minItems": 1}
    return {
        "type": "object",
        "description": description,
        "required": ["instances"],
        "additionalProperties": False,
        "properties": {"instances": instances},
    }


_, _INFER = models_json_schema([(InferRequest, "validation")], ref_template=REFERENCE)
BODIES = ("ExplainBody", "PredictBody", InferRequest.__name__)
SCHEMAS: dict[str, Schema] = {
    "InstanceFile": _FILE,
    "ExplainInstance": _explain_instance(),
    "ExplainBody": _instances("ExplainInstance", "Images to explain."),
    "PredictInstance": _predict_instance(),
    "PredictBody": _instances("PredictInstance", "Images to classify."),
    **_INFER["$defs"],
}
"""By the names under which OpenAPI lists them."""


def _request_body(name: str, examples: dict[str, Any]) -> dict[str, Any]:
    return {
        "required": True,
        "content": {"application/json": {"schema": reference(name), "examples": examples}},
    }


EXPLAIN_BODY = _request_body(
    "ExplainBody",
    {
        "file": {
            "summary": "A file, a class and three areas (a one-pixel image)",
            "value": {
                "instances": [
                    {"image": {"b64": ONE_PIXEL}, "target": "American black bear", "areas": [0.05, 0.1, 0.2]},
                ]
            },
        },
        "numbers": {
            "summary": "Numbers: 1 x 2 pixels, black and white",
            "value": {"instances": [{"image": [[[0, 0, 0], [255, 255, 255]]], "files": []}]},
        },
    },
)
PREDICT_BODY = _request_body(
    "PredictBody",
    {"two": {"summary": "The two best classes", "value": {"instances": [{"image": {"b64": ONE_PIXEL}, "top": 2}]}}},
)
INFER_BODY = _request_body(
    InferRequest.__name__,
    {
        "file": {
            "summary": "A file; all tensors are returned",
            "value": {
                "inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": [ONE_PIXEL]}],
                "parameters": {"target": "American black bear", "areas": "[0.05, 0.1, 0.2]"},
            },
        },
        "numbers": {
            "summary": "Numbers: 1 x 2 pixels; the masks alone, as bytes behind the JSON",
            "value": {
                "id": "42",
                "inputs": [
                    {"name": "image", "shape": [1, 2, 3], "datatype": "UINT8", "data": [0, 0, 0, 255, 255, 255]}
                ],
                "outputs": [{"name": "masks", "parameters": {"binary_data": True}}],
            },
        },
    },
)
BINARY_RESPONSE = {OCTETS: {"schema": {"type": "string", "format": "binary"}}}
PREDICTIONS = {"predictions": [ANSWER]}
