"""Generation of `extremal_client.generated` out of the OpenAPI document.

What can be sent becomes TypedDicts, what is answered dataclasses; beside them a table of the addresses at which a
client begins. All other addresses are links in answers.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from clients.document import ENTRIES, Document, Schema, is_open, reference, task_of

FOLDER = Path(__file__).parent / "extremal_client" / "generated"

_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_KEYWORDS = {"class"}  # names of fields that Python can't have
_WIDTH = 116
_HEAD = '''"""What can be sent and what is answered. Made of the OpenAPI document by `make client`: change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from extremal_client.core.images import GivenImage
'''


def generate(document: Document) -> dict[str, str]:
    """Return the modules' formatted texts, by their names."""
    modules = {"schemas.py": _schemas(document), "operations.py": _operations(document)}
    return {name: _formatted("\n".join(lines)) for name, lines in modules.items()}


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "120", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _operations(document: Document) -> Iterator[str]:
    yield '"""Addresses at which a client begins; all others are links. Made by `make client`: change nothing."""'
    yield "from typing import Literal"
    yield f"Name = Literal[{', '.join(map(repr, ENTRIES))}]"
    yield "OPERATIONS: dict[Name, tuple[str, str]] = {"
    for name, entry in document.entries.items():
        yield f"    {name!r}: {entry!r},"
    yield "}"
    yield '"""Method and path of each."""'


def _schemas(document: Document) -> Iterator[str]:
    known = document.known
    yield _HEAD
    for name in document.enums:
        yield f"{name} = {_type(known[name])}"
    for name in document.sent:
        yield from _sent(name, known[name])
    yield from _typed_dict("JobOptions", "Options of a job beside its parameters.", document.options("JobForm"))
    yield from _typed_dict("ClassifyOptions", "Options of a classification.", document.options("ClassifyForm"))
    for name in document.specs:
        task = name.removesuffix("Spec")
        yield f"class {task}Arguments({task}Params, JobOptions, total=False):"
        yield f'    """Parameters and options of a job of the task `{task_of(known[name])}`."""'
    for name in document.answered:
        if is_open(known[name]):
            yield from _typed_dict(name, known[name]["description"], known[name]["properties"], required=())
        else:
            yield from _dataclass(name, known[name])


def _sent(name: str, schema: Schema) -> Iterator[str]:
    """Yield the lines of something that can be sent; of a task's parameters, those without `task` by themselves."""
    properties, about = schema["properties"], schema["description"]
    required = schema.get("required", ())
    if not name.endswith("Spec"):
        yield from _typed_dict(name, about, properties, required=required)
        return
    params = name.removesuffix("Spec") + "Params"
    yield from _typed_dict(params, about, {key: one for key, one in properties.items() if key != "task"})
    yield f"class {name}({params}, total=False):"
    yield f'    """The same with the name of the task, `{task_of(schema)}`."""'
    yield f"    task: {_type(properties['task'])}"


def _typed_dict(name: str, about: str, properties: Schema, *, required: Iterable[str] | None = None) -> Iterator[str]:
    """Yield the lines of a TypedDict; without `required`, no key is."""
    if _KEYWORDS & set(properties):
        fields = ", ".join(f"{key!r}: {_type_sent(one)}" for key, one in properties.items())
        yield f"{name} = TypedDict({name!r}, {{{fields}}})"
        yield from _docstring(about, indent="")
        return
    yield f"class {name}(TypedDict{', total=False' if required is None else ''}):"
    yield from _docstring(about)
    for key, one in properties.items():
        kind = _type_sent(one)
        yield f"    {key}: {kind if required is None or key in required else f'NotRequired[{kind}]'}"
        yield from _docstring(one.get("description"))


def _dataclass(name: str, schema: Schema) -> Iterator[str]:
    yield "@dataclass(kw_only=True)"
    yield f"class {name}:"
    yield from _docstring(schema.get("description") or name)
    for key, one in schema.get("properties", {}).items():
        if not one.get("deprecated"):
            yield f"    {key}: {_type(one)}{_default(one)}"
            yield from _docstring(one.get("description"))


def _default(schema: Schema) -> str:
    """Return a field's default, for what an older service lacks."""
    kind = _type(schema)
    if kind.endswith("| None") or kind == "None":
        return " = None"
    if kind.startswith("list["):
        return " = field(default_factory=list)" if "default" in schema else ""
    if kind.startswith("dict["):
        return " = field(default_factory=dict)" if "default" in schema else ""
    return f" = {schema['default']!r}" if "default" in schema else ""


def _docstring(text: str | None, *, indent: str = "    ") -> Iterator[str]:
    if text:
        lines = textwrap.wrap(" ".join(text.split()), _WIDTH - len(indent) - 3)
        yield indent + '"""' + f"\n{indent}".join(lines) + '"""'


def _type_sent(schema: Schema) -> str:
    """Return the type of something that is sent: tuples will do, too."""
    return _type(schema).replace("list[", "Sequence[")


def _type(schema: Schema) -> str:
    """Return a schema as a type's expression, None last."""
    if "$ref" in schema:
        return reference(schema)
    if "anyOf" in schema or "oneOf" in schema:
        kinds = list(dict.fromkeys(_type(one) for one in schema.get("anyOf") or schema["oneOf"]))
        kinds.sort(key=lambda kind: kind == "None")
        return " | ".join(kinds)
    if "const" in schema or "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema.get('enum') or [schema['const']]))}]"
    if schema.get("type") == "array":
        return f"list[{_type(schema['items'])}]"
    if schema.get("type") == "object" or "type" not in schema:
        values = schema.get("additionalProperties")
        return f"dict[str, {_type(values) if isinstance(values, Mapping) else 'Any'}]" if "type" in schema else "Any"
    if schema.get("format") == "binary":
        return "GivenImage"
    return "datetime" if schema.get("format") == "date-time" else _SCALARS[schema["type"]]
