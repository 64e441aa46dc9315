"""The OpenAPI document as clients are generated from it: what of it they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Schema = Mapping[str, Any]

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


def served_document() -> dict[str, Any]:
    """Return the document that the service of this checkout serves."""
    from service.app import create_app

    return create_app().openapi()


@dataclass(frozen=True)
class Document:
    """Parts of an OpenAPI document that clients need."""

    content: Schema

    @property
    def known(self) -> Mapping[str, Schema]:
        """All schemas by their names."""
        found: Mapping[str, Schema] = self.content["components"]["schemas"]
        return found

    @cached_property
    def entries(self) -> dict[str, tuple[str, str]]:
        """Method and path of each operation at which a client begins."""
        found = {
            operation["operationId"]: (method.upper(), path)
            for path, operations in self.content["paths"].items()
            for method, operation in operations.items()
        }
        return {name: found[name] for name in ENTRIES}

    @cached_property
    def enums(self) -> list[str]:
        """Names of the schemas that are a choice of values."""
        return sorted(name for name in self._sent | self._answered if "enum" in self.known[name])

    @cached_property
    def sent(self) -> list[str]:
        """Names of the objects that can be sent, without the bodies that have them."""
        return sorted(name for name in self._sent - set(BODIES) if "enum" not in self.known[name])

    @cached_property
    def specs(self) -> list[str]:
        """Names of the tasks' parameters, those of objects that can be sent."""
        return [name for name in self.sent if name.endswith("Spec")]

    @cached_property
    def answered(self) -> list[str]:
        """Names of the objects that are answered."""
        return sorted(name for name in self._answered if "enum" not in self.known[name])

    def options(self, body: str) -> Schema:
        """Return the properties of a form beside what has arguments of its own."""
        properties: Schema = self.known[body]["properties"]
        return {name: one for name, one in properties.items() if name not in OF_THE_CLIENT}

    @cached_property
    def _sent(self) -> set[str]:
        return self._reached(BODIES)

    @cached_property
    def _answered(self) -> set[str]:
        return self._reached([*ANSWERS, REPORTS, *MORE]) - self._sent

    def _reached(self, names: Iterable[str]) -> set[str]:
        """Return the named schemas and all that they refer to."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(_references(self.known[name]))
        return found


def task_of(spec: Schema) -> str:
    """Return the name of the task that parameters are of."""
    return str(spec["properties"]["task"]["const"])


def is_open(schema: Schema) -> bool:
    """Return whether every member of an object is kept, as of a problem."""
    return schema.get("additionalProperties") is True


def reference(schema: Schema) -> str:
    """Return the name that a schema refers to."""
    return str(schema["$ref"].rpartition("/")[2])


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if node.get("deprecated"):
            return
        if isinstance(node.get("$ref"), str):
            yield reference(node)
    inner = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for one in inner:
        yield from _references(one)
