"""The tasks: one table, from which the API, the workers and the page take what they know of each. Imports no torch.

A new task is a module with its spec, its report, its `run` and `TASK`, and a line in `_MODULES`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union

from pydantic import Discriminator, Field, Tag, TypeAdapter

from ep_core.schemas.reports.report import TaskReport
from ep_core.schemas.specs.common import CommonSpec

from .task import Artifact, Bulk, FileKind, FileName, Files, Outcome, Place, Task

_MODULES = (
    "ep_core.schemas.tasks.extremal",
    "ep_core.schemas.tasks.compare",
    "ep_core.schemas.tasks.channels",
    "ep_core.schemas.tasks.class_channels",
)


def _read(modules: tuple[str, ...]) -> dict[str, Task]:
    tasks: list[Task] = [import_module(module).TASK for module in modules]
    return {task.name: task for task in tasks}


TASKS: dict[str, Task] = _read(_MODULES)
"""By name; the first is meant where a request names none."""
DEFAULT_TASK = next(iter(TASKS.values()))


def _name(spec: Any) -> Any:
    """Return the task of a spec or of a JSON object, which may leave out the default one."""
    return spec.get("task", DEFAULT_TASK.name) if isinstance(spec, dict) else getattr(spec, "task", DEFAULT_TASK.name)


if TYPE_CHECKING:  # a type checker can't read a table
    TaskName: TypeAlias = str
    Spec: TypeAlias = CommonSpec
    Report: TypeAlias = TaskReport
else:
    TaskName = Literal[tuple(TASKS)]
    Spec = Annotated[
        Union[tuple(Annotated[task.spec, Tag(name)] for name, task in TASKS.items())],  # noqa: UP007
        Discriminator(_name),
    ]
    Report = Annotated[Union[tuple(task.report for task in TASKS.values())], Field(discriminator="task")]  # noqa: UP007

_report = TypeAdapter[Report](Report)


def task_of(spec: CommonSpec) -> Task:
    """Return the task that a spec is of."""
    return TASKS[spec.task]


def read_report(text: bytes) -> Report:
    """Return the report that a JSON text holds, told apart by `task`."""
    return _report.validate_json(text)


__all__ = [
    "DEFAULT_TASK",
    "TASKS",
    "Artifact",
    "Bulk",
    "FileKind",
    "FileName",
    "Files",
    "Outcome",
    "Place",
    "Report",
    "Spec",
    "Task",
    "TaskName",
    "read_report",
    "task_of",
]
