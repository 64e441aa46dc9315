"""Operations of the service as Markdown, from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator

from .schema_tables import Schema, SchemaTables, table

_OF_PROBLEMS = "application/problem+json"
_SAYS_NOTHING = "Successful Response"
_OF_ALL = ("401", "403")
"""Answers that mean the same of every operation that has them."""


def operations(document: Schema) -> str:
    """Return the operations by tag, and after them the objects that their bodies and answers are made of."""
    objects = document["components"]["schemas"]
    tables = SchemaTables(objects, lambda name: f"#schema-{name}")
    parts: list[str] = []
    for tag in document["tags"]:
        parts += [f"## {tag['name'].capitalize()}", tag["description"]]
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if operation["tags"][0] == tag["name"]:
                    parts += _operation(tables, f"{method.upper()} {path}", operation)
    parts += ["## Objects", "Fields with a star are always there, or have to be given."]
    for name, schema in sorted(objects.items()):
        if schema.get("properties"):
            parts += [f"### {name} {{ #schema-{name} }}", schema.get("description", ""), tables.fields(schema)]
    return "\n\n".join(parts)


def _operation(tables: SchemaTables, line: str, operation: Schema) -> Iterator[str]:
    yield f"### {operation['summary']} {{ #{operation['operationId']} }}"
    yield f"`{line}`"
    yield operation.get("description", "")
    if parameters := operation.get("parameters"):
        yield table(("Parameter", "In", "What it is"), map(_parameter, parameters))
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"**Body**, `{media_type}`:"
        yield tables.fields(body["schema"])
    answers = ((status, answer) for status, answer in sorted(operation["responses"].items()) if status not in _OF_ALL)
    yield table(("Answer", "When, and what"), ((f"`{status}`", _answer(tables, answer)) for status, answer in answers))


def _parameter(parameter: Schema) -> tuple[str, str, str]:
    said = parameter.get("description") or parameter["schema"].get("description", "")
    return f"`{parameter['name']}`", parameter["in"], said


def _answer(tables: SchemaTables, answer: Schema) -> str:
    contents = answer.get("content", {})
    shapes = [tables.type(content.get("schema", {})) for kind, content in contents.items() if kind != _OF_PROBLEMS]
    said = answer["description"].removesuffix(".")
    return ": ".join(filter(None, ("" if said == _SAYS_NOTHING else said, " or ".join(filter(None, shapes)))))
