"""Public names of a package as Markdown: docstrings by mkdocstrings, and the fields of models in tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType

from pydantic import BaseModel

from .schema_tables import SchemaTables

_HTTP = "http.md#schema-{}"


def names(package: ModuleType, objects: Mapping[str, object]) -> str:
    """Return what a package exports, by kind.

    Args:
        package: its `__all__` has the names.
        objects: those of the OpenAPI document, by name, to which tables lead.
    """
    exported = {name: getattr(package, name) for name in package.__all__ if not name.startswith("__")}
    parts: list[str] = []
    left = dict(exported)
    for title, belongs in _KINDS.items():
        here = {name: left.pop(name) for name, one in list(left.items()) if belongs(one)}
        if here:
            parts += [f"## {title}", *_shown(package, here, objects)]
    return "\n\n".join(parts)


def _shown(package: ModuleType, here: Mapping[str, object], objects: Mapping[str, object]) -> Iterator[str]:
    for name, one in here.items():
        path = f"::: {package.__name__}.{name}"
        if not _is_model(one):
            yield path
            continue
        yield f"{path}\n    options:\n      members: false\n      show_signature: false"
        yield _fields(one, objects)


def _fields(model: type[BaseModel], objects: Mapping[str, object]) -> str:
    schema = model.model_json_schema()
    return SchemaTables(schema.get("$defs", {}), lambda name: _HTTP.format(name) if name in objects else None).fields(
        schema
    )


def _is_model(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)


def _is_error(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, BaseException)


_KINDS: dict[str, Callable[[object], bool]] = {
    "Functions": inspect.isfunction,
    "Errors": _is_error,
    "Parameters and reports": _is_model,
    "Classes": inspect.isclass,
}
"""Kinds of names in their order: a name belongs to the first that fits."""
