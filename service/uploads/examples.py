"""OpenAPI's request bodies and examples of posts, whose bodies the endpoints parse themselves."""

from __future__ import annotations

from typing import Any

from ep_core.schemas.targets import TARGET_PARTS
from ep_core.schemas.tasks import TASKS
from service.http.json_schema import BASE64, FILE, REFERENCE, reference, without_null

from .body import JobBody
from .limits import OF_SEVERAL
from .options import JobOptions

PARAMS = {"target": "American black bear", "areas": [0.05, 0.1, 0.2]}
CHANNELS = {"task": "channels", "layer": "features.18", "areas": [12, 121, 1280], "invert": True}
CLASS = {"task": "class_channels", "layer": "features.18", "target": "American black bear", "top": 2}
COMPARE = {"task": "compare", "methods": ["grad_cam", "extremal"], "areas": [0.1, 0.2]}
ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"  # a PNG
_SEVERAL = f"a batch, or the task `{OF_SEVERAL}`"
_DOCUMENTED = JobBody.model_fields


def _options() -> dict[str, Any]:
    properties: dict[str, Any] = JobOptions.model_json_schema(ref_template=REFERENCE)["properties"]
    return properties


def _params() -> dict[str, Any]:
    return {
        "anyOf": [reference(task.spec.__name__) for task in TASKS.values()],
        "description": "What to ask of the images.",
    }


def _form() -> dict[str, Any]:
    """Return the schema of a job or batch as a multipart form.

    A plain object with arrays for parts that repeat: generators of clients take nothing beside `properties`. That one
    of two parts has to be there stands under `if`, which they pass over.
    """
    image = {
        "type": "array",
        "items": FILE,
        "minItems": 1,
        "description": f"The image file, a part with a filename; repeated for several: {_SEVERAL}.",
    }
    urls = {"type": "array", "items": {"type": "string"}, "description": _DOCUMENTED["image_url"].description}
    pictures = {name: FILE | {"description": _DOCUMENTED[name].description} for name in TARGET_PARTS}
    options = {name: without_null(schema) for name, schema in _options().items()}  # a part is never null
    return {
        "type": "object",
        "description": "A job or a batch as a form: `image` or `image_url`, `params` and options.",
        "properties": {"image": image, "image_url": urls, "params": _params(), **pictures, **options},
        "additionalProperties": False,
        "if": {"not": {"required": ["image"]}},
        "then": {"required": ["image_url"]},
    }


def _json() -> dict[str, Any]:
    """Return the schema of a job or batch as JSON; what has to be there stands as in `_form`."""
    image = BASE64 | {"description": _DOCUMENTED["image"].description}
    images = {
        "type": "array",
        "items": BASE64,
        "minItems": 1,
        "description": f"Several of them: {_SEVERAL}.",
    }
    urls = {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        "description": _DOCUMENTED["image_url"].description,
    }
    named = {"image": image, "images": images, "image_url": urls}
    pictures = {name: BASE64 | {"description": _DOCUMENTED[name].description} for name in TARGET_PARTS}
    return {
        "type": "object",
        "description": "A job or a batch as JSON: `image`, `images` or `image_url`, `params` and options.",
        "additionalProperties": False,
        "properties": {**named, "params": _params(), **pictures, **_options()},
        "if": {"not": {"anyOf": [{"required": ["image"]}, {"required": ["images"]}]}},
        "then": {"required": ["image_url"]},
    }


FORM, JSON = "JobForm", "JobBody"
SCHEMAS = {FORM: _form(), JSON: _json()}
"""By the names under which OpenAPI lists them."""


def _body(examples: dict[str, Any]) -> dict[str, Any]:
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": reference(FORM),
                "encoding": {"params": {"contentType": "application/json"}},
            },
            "application/json": {"schema": reference(JSON), "examples": examples},
        },
    }


REQUEST_BODY = _body(
    {
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
    {
        "areas": {
            "summary": "Two images, when nobody else waits",
            "value": {"images": [ONE_PIXEL, ONE_PIXEL], "params": PARAMS, "priority": "low"},
        },
    },
)
