"""Generation of `extremal_client.generated` out of the OpenAPI document: `python -m clients.python.generate`.

What can be sent becomes TypedDicts, what is answered dataclasses; beside them a table of the addresses at which a
client begins. All other addresses are links in answers.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]

FOLDER = Path(__file__).parent / "extremal_client" / "generated"
ENTRIES = (
    "create_job",
    "list_jobs",
    "delete_jobs",
    "get_job",
    "create_batch",
    "classify",
    "get_models",
    "get_model",
    "get_tasks",
)
"""Operations whose addresses no answer has."""
BODIES = ("JobForm", "ClassifyForm")
ANSWERS = ("JobRead", "JobPage", "BatchRead", "Removed", "ModelList", "ModelRead", "TaskList", "Classified")
REPORTS = "BatchResults"  # its `results` have the reports of all tasks
MORE = ("ProblemDetails", "ChannelMasks")
OF_THE_CLIENT = ("image", "image_url", "params")
"""Parts of a form that have arguments of their own."""

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


def main() -> int:
    """Write the modules, or with `--check` return 1 where they differ from the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check: bool = parser.parse_args().check
    made = generate(served_document())
    stale = [name for name, text in made.items() if not _is_there(FOLDER / name, text)]
    if check:
        print("\n".join(f"{name} differs from the OpenAPI document: run `make client`" for name in stale))
        return int(bool(stale))
    for name in stale:
        (FOLDER / name).write_text(made[name])
    return 0


def served_document() -> dict[str, Any]:
    """Return the document that the service of this checkout serves."""
    from service.app import create_app

    return create_app().openapi()


def generate(document: Schema) -> dict[str, str]:
    """Return the modules' formatted texts, by their names."""
    modules = {"schemas.py": _schemas(document), "operations.py": _operations(document)}
    return {name: _formatted("\n".join(lines)) for name, lines in modules.items()}


def _is_there(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "120", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _operations(document: Schema) -> Iterator[str]:
    found = {
        operation["operationId"]: (method.upper(), path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    yield '"""Addresses at which a client begins; all others are links. Made by `make client`: change nothing."""'
    yield "from typing import Literal"
    yield f"Name = Literal[{', '.join(map(repr, ENTRIES))}]"
    yield "OPERATIONS: dict[Name, tuple[str, str]] = {"
    for name in ENTRIES:
        yield f"    {name!r}: {found[name]!r},"
    yield "}"
    yield '"""Method and path of each."""'


def _schemas(document: Schema) -> Iterator[str]:
    known: dict[str, Schema] = document["components"]["schemas"]
    sent = _reached(BODIES, known)
    answered = _reached([*ANSWERS, REPORTS, *MORE], known) - sent
    yield _HEAD
    for name in sorted(name for name in sent | answered if "enum" in known[name]):
        yield f"{name} = {_type(known[name])}"
    for name in sorted(name for name in sent - set(BODIES) if "enum" not in known[name]):
        yield from _sent(name, known[name])
    yield from _typed_dict("JobOptions", "Options of a job beside its parameters.", _rest(known["JobForm"]))
    yield from _typed_dict("ClassifyOptions", "Options of a classification.", _rest(known["ClassifyForm"]))
    for name in sorted(name for name in sent if name.endswith("Spec")):
        task = name.removesuffix("Spec")
        yield f"class {task}Arguments({task}Params, JobOptions, total=False):"
        yield f'    """Parameters and options of a job of the task `{_task_of(known[name])}`."""'
    for name in sorted(name for name in answered if "enum" not in known[name]):
        if known[name].get("additionalProperties") is True:  # of a problem every member is kept
            yield from _typed_dict(name, known[name]["description"], known[name]["properties"], required=())
        else:
            yield from _dataclass(name, known[name])


def _task_of(spec: Schema) -> str:
    return str(spec["properties"]["task"]["const"])


def _rest(form: Schema) -> Schema:
    return {name: one for name, one in form["properties"].items() if name not in OF_THE_CLIENT}


def _reached(names: Iterable[str], known: Mapping[str, Schema]) -> set[str]:
    """Return the named schemas and all that they refer to."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_references(known[name]))
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if node.get("deprecated"):
            return
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
    inner = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for one in inner:
        yield from _references(one)


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
    yield f'    """The same with the name of the task, `{_task_of(schema)}`."""'
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
        return str(schema["$ref"].rpartition("/")[2])
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


if __name__ == "__main__":
    sys.exit(main())
