"""Generation of `src/generated` out of the OpenAPI document.

What can be sent and what is answered become interfaces; beside them a table of the addresses at which a client begins.
All other addresses are links in answers.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from clients.document import Document, Schema, is_open, reference, task_of

FOLDER = Path(__file__).parent / "src" / "generated"

_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_WIDTH = 110
_MADE = "Made of the OpenAPI document by `make client`: change nothing."


def generate(document: Document) -> dict[str, str]:
    """Return the modules' formatted texts, by their names."""
    modules = {"schemas.ts": _schemas(document), "operations.ts": _operations(document)}
    return {name: _formatted("\n".join(lines)) for name, lines in modules.items()}


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "deno", "fmt", "--no-config", "--ext", "ts", "--line-width", "120", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _operations(document: Document) -> Iterator[str]:
    yield f"// Addresses at which a client begins; all others are links. {_MADE}"
    yield ""
    yield "/** Method and path of each. */"
    yield f"export const OPERATIONS = {json.dumps(document.entries)} as const;"
    yield ""
    yield "/** Their names. */"
    yield "export type Operation = keyof typeof OPERATIONS;"


def _schemas(document: Document) -> Iterator[str]:
    known = document.known
    yield f"// What can be sent and what is answered. {_MADE}"
    yield ""
    yield 'import type { GivenFile } from "../images.ts";'
    for name in document.enums:
        yield ""
        yield from _comment(known[name].get("description"))
        yield f"export type {name} = {_type(known[name])};"
    for name in document.sent:
        yield from _sent(name, known[name])
    yield from _interface("JobOptions", "Options of a job beside its parameters.", document.options("JobForm"), ())
    yield from _interface("ClassifyOptions", "Options of a classification.", document.options("ClassifyForm"), ())
    for name in document.specs:
        task = name.removesuffix("Spec")
        yield ""
        yield from _comment(f"Parameters and options of a job of the task `{task_of(known[name])}`.")
        yield f"export interface {task}Arguments extends {task}Params, JobOptions {{}}"
    for name in document.answered:
        yield from _answered(name, known[name])


def _sent(name: str, schema: Schema) -> Iterator[str]:
    """Yield the lines of something that can be sent; of a task's parameters, those without `task` by themselves."""
    properties, about = schema["properties"], schema["description"]
    if not name.endswith("Spec"):
        yield from _interface(name, about, properties, schema.get("required", ()), sent=True)
        return
    params = name.removesuffix("Spec") + "Params"
    rest = {key: one for key, one in properties.items() if key != "task"}
    yield from _interface(params, about, rest, (), sent=True)
    yield ""
    yield from _comment(f"The same with the name of the task, `{task_of(schema)}`.")
    yield f"export interface {name} extends {params} {{ task?: {_type(properties['task'])} }}"


def _answered(name: str, schema: Schema) -> Iterator[str]:
    """Yield the lines of something that is answered; what isn't required is missing in answers of older services."""
    properties = {key: one for key, one in schema.get("properties", {}).items() if not one.get("deprecated")}
    about = schema.get("description") or name
    yield from _interface(name, about, properties, schema.get("required", ()), open_ended=is_open(schema))


def _interface(
    name: str,
    about: str,
    properties: Schema,
    required: Container[str],
    *,
    sent: bool = False,
    open_ended: bool = False,
) -> Iterator[str]:
    yield ""
    yield from _comment(about)
    yield f"export interface {name} {{"
    for key, one in properties.items():
        yield from _comment(one.get("description"))
        kind = _type(one)
        yield f"{key}{'' if key in required else '?'}: {_readonly(kind) if sent else kind};"
    if open_ended:
        yield "[member: string]: unknown;"
    yield "}"


def _comment(text: str | None) -> Iterator[str]:
    if text:
        lines = textwrap.wrap(" ".join(text.split()).replace("*/", "* /"), _WIDTH)
        yield f"/** {lines[0]} */" if len(lines) == 1 else "/**\n" + "\n".join(f" * {line}" for line in lines) + "\n */"


def _readonly(kind: str) -> str:
    """Return the type of something that is sent: constant arrays will do, too."""
    return re.sub(r"\bArray<", "ReadonlyArray<", kind)


def _type(schema: Schema) -> str:
    """Return a schema as a type, null last."""
    if "$ref" in schema:
        return reference(schema)
    if "anyOf" in schema or "oneOf" in schema:
        kinds = list(dict.fromkeys(_type(one) for one in schema.get("anyOf") or schema["oneOf"]))
        kinds.sort(key=lambda kind: kind == "null")
        return " | ".join(kinds)
    if "const" in schema or "enum" in schema:
        return " | ".join(map(json.dumps, schema.get("enum") or [schema["const"]]))
    if schema.get("type") == "array":
        return f"Array<{_type(schema['items'])}>"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {_type(values) if isinstance(values, Mapping) else 'unknown'}>"
    if schema.get("format") == "binary":
        return "GivenFile"
    return _SCALARS[schema["type"]] if "type" in schema else "unknown"
