"""Objects of a JSON schema as Markdown tables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_NAMES = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}
_EITHER = ("anyOf", "oneOf", "allOf")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table; its cells are single lines."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


@dataclass(frozen=True)
class SchemaTables:
    """Tables of objects that refer to each other.

    Attributes:
        definitions: the objects by name, to which ``$ref`` leads.
        address: of an object's own table; None where it has none.
    """

    definitions: Mapping[str, Schema]
    address: Callable[[str], str | None]

    def fields(self, schema: Schema) -> str:
        """Return the fields of an object: their names (required ones with a star), types, and what they are."""
        schema = self._resolved(schema)
        required = set(schema.get("required", ()))
        rows = [
            (f"`{name}`" + (" *" if name in required else ""), self.type(field), self._said(field))
            for name, field in schema.get("properties", {}).items()
        ]
        return table(("Field", "Type", "What it is"), rows)

    def type(self, schema: Schema) -> str:
        """Return a type in words; empty where anything goes."""
        if "$ref" in schema:
            return self._named(schema)
        for key in _EITHER:
            if key in schema:
                return " or ".join(filter(None, dict.fromkeys(map(self.type, schema[key]))))
        if "enum" in schema:
            return ", ".join(f"`{one}`" for one in schema["enum"])
        if "const" in schema:
            return f"`{schema['const']}`"
        if "contentMediaType" in schema or schema.get("format") == "binary":
            return "file"
        return self._kind(schema)

    def _named(self, schema: Schema) -> str:
        name, resolved = schema["$ref"].rpartition("/")[2], self._resolved(schema)
        if not resolved.get("properties"):
            return self.type(resolved)
        address = self.address(name)
        return name if address is None else f"[{name}]({address})"

    def _kind(self, schema: Schema) -> str:
        if schema.get("type") == "array":
            return f"list of {self.type(schema.get('items', {})) or 'values'}"
        if schema.get("type") == "object":
            values = schema.get("additionalProperties")
            return f"object of {self.type(values)}" if isinstance(values, Mapping) and self.type(values) else "object"
        return _NAMES.get(schema.get("type", ""), "")

    def _said(self, field: Schema) -> str:
        parts = [field.get("description", "")]
        if field.get("default") is not None:
            parts.append(f"Default: `{json.dumps(field['default'])}`.")
        return " ".join(filter(None, parts))

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        return schema
