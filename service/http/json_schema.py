"""Pieces of JSON schemas, as OpenAPI and client generators need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

FILE: Schema = {"type": "string", "format": "binary"}
_NULL: Schema = {"type": "null"}
BASE64: Schema = {"type": "string", "contentEncoding": "base64"}
REFERENCE = "#/components/schemas/{model}"
"""Path of a schema in the document."""


def reference(name: str) -> Schema:
    """Return the reference to a schema of the document."""
    return {"$ref": REFERENCE.format(model=name)}


def is_nullable(schema: Schema) -> bool:
    """Return whether null is a value."""
    return _NULL in schema.get("anyOf", [])


def without_null(schema: Schema) -> Schema:
    """Return a schema without null as a value, where one kind is left: parameters and parts of forms are texts."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != _NULL]
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
    for inner in _inner(node):
        plain_tuples(inner)


def reached(names: Iterable[str], schemas: Mapping[str, Schema]) -> set[str]:
    """Return the names of the schemas that those of `names` refer to, theirs included."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [ref.rpartition("/")[2] for ref in _references(schemas[name])]
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        yield node["$ref"]
    for inner in _inner(node):
        yield from _references(inner)


def _inner(node: Any) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
