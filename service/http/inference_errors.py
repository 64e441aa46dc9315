"""Errors in the form of KServe's protocols, for their clients: the message is `error`, in plain JSON.

The other members are those of problem details, `detail` left out: `error` is in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MEDIA_TYPE = "application/json"
_VERBS = (":explain", ":predict")


def is_of_inference(path: str) -> bool:
    """Return whether an address is one of KServe's protocols, v1 or v2."""
    return path == "/v2" or path.startswith("/v2/") or (path.startswith("/v1/models/") and path.endswith(_VERBS))


def as_error(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a problem as an error; its message names the field at fault, where there is one."""
    field, detail = members.get("field"), members["detail"]
    others = {name: one for name, one in members.items() if name not in ("detail", "error")}
    return {"error": f"{field}: {detail}" if field else detail, **others}
