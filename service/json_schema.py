"""Pieces of JSON schemas, as OpenAPI and the generators of clients want them."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

FILE: Schema = {"type": "string", "format": "binary"}
BASE64: Schema = {"type": "string", "contentEncoding": "base64"}
REFERENCE = "#/components/schemas/{model}"
"""Where a schema of the document is."""


def reference(name: str) -> Schema:
    """Return the reference to a schema of the document."""
    return {"$ref": REFERENCE.format(model=name)}


def without_null(schema: Schema) -> Schema:
    """Return a schema without null as a value, where one kind is left: parameters and parts of forms are texts."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    kept = {key: value for key, value in schema.items() if key != "anyOf"}
    if kept.get("default", ...) is None:
        del kept["default"]
    return kept | kinds[0]


def plain_tuples(node: Any) -> None:
    """Write arrays of a fixed length and one kind of items as such, in place: few generators know `prefixItems`."""
    if isinstance(node, dict):
        kinds = node.get("prefixItems")
        if kinds and all(kind == kinds[0] for kind in kinds):
            node["items"] = node.pop("prefixItems")[0]
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        plain_tuples(inner)
