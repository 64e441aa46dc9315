"""Answers: the engine's reports with the id of their job and the addresses of their files.

Their models are made of the reports' by the table of tasks: a part of a report that has files gets a field for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, Field, create_model

from ep_core.schemas.reports.report import TaskReport
from ep_core.schemas.tasks import TASKS, Report


class _Named(BaseModel):
    id: str


def _located() -> dict[type[BaseModel], Mapping[str, str | None]]:
    """Return the fields that say where a file is, by the part of a report that gets them, of all tasks."""
    return {part: fields for task in TASKS.values() for part, fields in task.located.items()}


_LOCATED = _located()


@cache
def _with_addresses(model: type[BaseModel]) -> type[BaseModel]:
    """Return a model with fields for addresses, in all of its parts that have files; the same where none has."""
    changed = {name: (_replaced(one.annotation), copy(one)) for name, one in model.model_fields.items()}
    fields: dict[str, Any] = {k: one for k, one in changed.items() if one[0] != model.model_fields[k].annotation}
    for name, description in _LOCATED.get(model, {}).items():
        fields[name] = (str | None, Field(default=None, description=description))
    return _made(model, (model,), fields) if fields else model


def _replaced(annotation: Any) -> Any:
    """Return a field's annotation with the models in it replaced by those with addresses."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _with_addresses(annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is None or origin is Literal:
        return annotation
    replaced = tuple(_replaced(one) for one in inner)
    if replaced == inner:
        return annotation
    return Union[replaced] if origin in (Union, UnionType) else origin[replaced]  # noqa: UP007


def _answer(report: type[TaskReport]) -> type[BaseModel]:
    """Return the model of the answer that carries a report."""
    files: dict[str, Any] = {"artifacts": (dict[str, str], {})}
    return _made(report, (_with_addresses(report), _Named), files)


def _made(model: type[BaseModel], bases: tuple[type[BaseModel], ...], fields: dict[str, Any]) -> type[BaseModel]:
    made: type[BaseModel] = create_model(
        model.__name__, __base__=bases, __doc__=model.__doc__, __module__=__name__, **fields
    )
    return made


ANSWERS: dict[str, type[BaseModel]] = {name: _answer(task.report) for name, task in TASKS.items()}
"""By the task's name."""

if TYPE_CHECKING:  # a type checker can't read a table
    Answer: TypeAlias = BaseModel
else:
    Answer = Annotated[Union[tuple(ANSWERS.values())], Field(discriminator="task")]  # noqa: UP007


def answer(report: Report, *, job_id: str, base: str, artifacts: Mapping[str, str]) -> Answer:
    """Return a report as an answer.

    Args:
        report: what a job has found.
        job_id: the job's.
        base: what comes before the names of files.
        artifacts: the names of the files of the whole report, by what a client calls them.
    """
    located: dict[str, Any] = report.model_dump() | {"id": job_id}
    located["artifacts"] = {key: base + file for key, file in artifacts.items()}
    for place, files in TASKS[report.task].places_of(report):
        part: Any = located
        for step in place:
            part = part[step]
        part |= {field: base + file for field, file in files.items()}
    return ANSWERS[report.task].model_validate(located)
