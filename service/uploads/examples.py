"""What OpenAPI shows of requests: the bodies of posts, which are read by hand."""

from __future__ import annotations

from typing import Any

from ep_core.spec import SPECS

from .body import JobBody
from .options import JobOptions

PARAMS = {"target": "American black bear", "areas": [0.05, 0.1, 0.2]}
CHANNELS = {"task": "channels", "layer": "features.18", "areas": [12, 121, 1280], "invert": True}
CLASS = {"task": "class_channels", "layer": "features.18", "target": "American black bear", "top": 2}
COMPARE = {"task": "compare", "methods": ["grad_cam", "extremal"], "areas": [0.1, 0.2]}
_PARAMS_SCHEMA = {"anyOf": [{"$ref": f"#/components/schemas/{spec.__name__}"} for spec in SPECS.values()]}
FILE = {"type": "string", "format": "binary"}
ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"  # a PNG
_URLS = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    "description": JobBody.model_fields["image_url"].description,
}


def _options() -> dict[str, Any]:
    """Return the schemas of the options, without references: OpenAPI has its own place for those."""
    schemas = JobOptions.model_json_schema(ref_template="{model}")
    return {name: _inline(schema, schemas.get("$defs", {})) for name, schema in schemas["properties"].items()}


def _inline(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref")
    plain = {key: value for key, value in schema.items() if key not in ("$ref", "title")}
    return plain if name is None else {**known[name], **plain}


def _body(*, several: str, examples: dict[str, Any]) -> dict[str, Any]:
    images = {"type": "array", "items": FILE, "minItems": 1}
    image = {
        "anyOf": [FILE, images],
        "description": f"The image file, a part with a filename; repeated for {several}.",
    }
    beside = {"image_url": _URLS, "params": _PARAMS_SCHEMA, **_options()}
    in_json: dict[str, Any] = {
        "image": {
            "type": "string",
            "contentEncoding": "base64",
            "description": JobBody.model_fields["image"].description,
        },
        "images": {
            "type": "array",
            "items": {"type": "string", "contentEncoding": "base64"},
            "minItems": 1,
            "description": f"Several of them, for {several}.",
        },
    }
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "anyOf": [{"required": ["image"]}, {"required": ["image_url"]}],
                    "properties": {"image": image, **beside},
                },
                "encoding": {"params": {"contentType": "application/json"}},
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "anyOf": [{"required": [name]} for name in ("image", "images", "image_url")],
                    "additionalProperties": False,
                    "properties": in_json | beside,
                },
                "examples": examples,
            },
        },
    }


REQUEST_BODY = _body(
    several="the task `class_channels`",
    examples={
        "areas": {
            "summary": "A class by its label and three areas (a one-pixel image)",
            "value": {"image": ONE_PIXEL, "params": PARAMS},
        },
        "channels": {
            "summary": "The channels of a layer, and its inversions",
            "value": {"image": ONE_PIXEL, "params": CHANNELS},
        },
        "compare": {
            "summary": "Extremal masks beside Grad-CAM",
            "value": {"image": ONE_PIXEL, "params": COMPARE},
        },
        "class_channels": {
            "summary": "The channels of a class, from several images",
            "value": {"images": [ONE_PIXEL, ONE_PIXEL], "params": CLASS},
        },
    },
)
BATCH_BODY = _body(
    several="a batch",
    examples={
        "areas": {
            "summary": "Two images, when nobody else waits",
            "value": {"images": [ONE_PIXEL, ONE_PIXEL], "params": PARAMS, "priority": "low"},
        },
    },
)
