"""Hooks for schemathesis: they supply a real picture, so that most of its requests get past the decoder."""

from __future__ import annotations

import base64
import uuid
import zlib
from typing import Any

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData

from .posting import picture

PICTURE = picture(0)


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Declare the form's part `image` as one file: several, schemathesis sends without a filename.

    What has to be there stands under `anyOf` for it, as it can't judge bytes by `if`.
    """
    form = raw_schema["components"]["schemas"]["JobForm"]
    form["properties"]["image"] = {"type": "string", "format": "binary"}
    del form["if"]
    form["anyOf"] = [{"required": ["image"]}, form.pop("then")]


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Put a picture into most valid bodies, a model that there is, no addresses, a key of their own; wait seldom."""
    body, chance = case.body, zlib.crc32(repr(case.body).encode())
    if isinstance(body, dict) and body.keys() & {"instances", "inputs"}:
        _before_kserve(case, body, chance)
        return
    if "prefer" in (case.headers or {}) and chance % 8:
        del case.headers["prefer"]
    if not case.meta or not case.meta.generation.mode.is_positive or not isinstance(body, dict) or "image" not in body:
        return
    if chance % 4 == 0:
        return
    image = base64.b64encode(PICTURE).decode() if case.media_type == "application/json" else PICTURE
    kept = {name: value for name, value in body.items() if name not in ("webhook", "image_url", "images")}
    case.body = kept | {"image": image}  # a new one: the old one may be the pattern of many
    if "model" in body:
        case.body["model"] = "mobilenet_v2"
    if isinstance(body.get("params"), dict):
        case.body["params"] = body["params"] | {"model": "mobilenet_v2", "target": None}
    if "idempotency-key" in (case.headers or {}):
        case.headers["idempotency-key"] = str(uuid.uuid4())


def _before_kserve(case: schemathesis.Case, body: dict[str, Any], chance: int) -> None:
    """Put a picture into most valid bodies of KServe's protocols, for a model that there is; wait for a moment."""
    case.headers = {**(case.headers or {}), "prefer": "wait=1"}
    if not case.meta or not case.meta.generation.mode.is_positive or chance % 4 == 0:
        return
    case.path_parameters = {"name": "mobilenet_v2"}
    image = base64.b64encode(PICTURE).decode()
    if "instances" in body:
        options = [{k: one[k] for k in ("top", "fit", "areas") if k in one} for one in body["instances"][:2]]
        case.body = {"instances": [{"image": {"b64": image}, **one} for one in options]}
    else:
        tensor = {"name": "image", "shape": [1], "datatype": "BYTES", "data": [image]}
        case.body = {"inputs": [tensor], "id": body.get("id")}


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Exception, case: schemathesis.Case, response: schemathesis.Response
) -> bool:
    """Leave out accepted requests that "violate the schema" where they are forms: it takes valid nulls for that."""
    return not (isinstance(failure, AcceptedNegativeData) and case.media_type == "multipart/form-data")
