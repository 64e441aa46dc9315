"""Validation errors as a readable list: field, what is wrong, the value sent, the values allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field
from pydantic_core import to_json

from ep_core.schemas.targets import nearest_names
from ep_core.schemas.tasks import DEFAULT_TASK, TASKS
from ep_core.schemas.wording import in_words, inner_fields, without_echoes

MAX_ERRORS = 20
MAX_VALUE_CHARS = 100

_WITHOUT_VALUE = ("missing", "json_invalid")
_FIELDS: dict[str, dict[str, dict[str, Any]]] = {
    name: task.spec.model_json_schema()["properties"] for name, task in TASKS.items()
}


class FieldError(BaseModel):
    """Error in one field of a request."""

    field: Annotated[str, Field(description="The field, e.g. `areas.2`, `target` or `image`.")]
    detail: Annotated[str, Field(description="What is wrong with it.")]
    value: Annotated[
        str | None, Field(description=f"The value sent: its JSON text, at most {MAX_VALUE_CHARS} characters.")
    ] = None
    allowed: Annotated[dict[str, Any] | None, Field(description="What it may be: the field's JSON schema.")] = None
    nearest: Annotated[list[str] | None, Field(description="Names that may have been meant, best first.")] = None


def field_errors(errors: Iterable[Mapping[str, Any]], *, around: Sequence[str] = ()) -> list[FieldError]:
    """Return one entry per field, in order, the first `MAX_ERRORS` of them.

    Args:
        errors: pydantic's `ValidationError.errors()`.
        around: the fields of the object that was validated, where that wasn't the parameters: it has them under
            `params`, or has none.
    """
    merged: dict[str, FieldError] = {}
    for error in without_echoes(list(errors)):
        if len(merged) == MAX_ERRORS:
            break
        entry = _field_error(error, around)
        known = merged.setdefault(entry.field, entry)
        if entry.detail not in known.detail:  # a union says why each of its members doesn't fit
            known.detail += f"; or: {entry.detail}"
    return list(merged.values())


def _field_error(error: Mapping[str, Any], around: Sequence[str]) -> FieldError:
    task, (top, *inner) = _location(error["loc"], around)
    value = None if error["type"] in _WITHOUT_VALUE else _excerpt(error["input"])
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return _unknown_task(error["input"].get("task"))
    if error["type"] == "extra_forbidden" and not inner:
        return _unknown_field(str(top), value, task, around if len(error["loc"]) == 1 else ())
    # What else is in a location are names of a union's members, which mean nothing to the sender.
    within = [*(str(part) for part in inner if isinstance(part, int)), *inner_fields({**error, "loc": (top, *inner)})]
    field = ".".join([str(top), *within])
    return FieldError(field=field, detail=in_words(error), value=value, allowed=_allowed(str(top), task, error))


def _location(location: tuple[str | int, ...], around: Sequence[str]) -> tuple[str, tuple[str | int, ...]]:
    """Return the task, and the field without what says where it came from (a JSON body's `params`, the query, ...)."""
    task = DEFAULT_TASK.name
    if around and location[:1] != ("params",):  # beside the parameters
        return task, location or ("body",)
    if len(location) > 1 and location[0] in ("params", "query", "path", "header", "body"):
        location = location[1:]
    if location and location[0] in TASKS:  # the member of the union
        task, location = str(location[0]), location[1:]
    return task, location or ("params",)


def _unknown_task(asked: Any) -> FieldError:
    nearest = nearest_names(asked, list(TASKS)) if isinstance(asked, str) else []
    hint = f"did you mean {' or '.join(nearest)}? The" if nearest else "the"
    return FieldError(
        field="task",
        detail=f"there is no such task; {hint} tasks are {', '.join(TASKS)}",
        value=_excerpt(asked),
        allowed={"enum": list(TASKS)},
        nearest=nearest,
    )


def _unknown_field(name: str, value: str | None, task: str, around: Sequence[str]) -> FieldError:
    fields = around or list(_FIELDS[task])
    nearest = nearest_names(name, fields)
    hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"the fields are {', '.join(fields)}"
    if "params" in around and any(name in fields_of_task for fields_of_task in _FIELDS.values()):
        hint = "it goes inside params"
    return FieldError(
        field=name[:MAX_VALUE_CHARS], detail=f"there is no such field; {hint}", value=value, nearest=nearest
    )


def _allowed(field: str, task: str, error: Mapping[str, Any]) -> dict[str, Any] | None:
    is_no_field = error["type"] == "json_invalid" or error["loc"][:1] == ("query",)  # `?task=` isn't a job's `task`
    schema = None if is_no_field else _FIELDS[task].get(field)
    return schema and {name: value for name, value in schema.items() if name not in ("title", "default")}


def _excerpt(value: Any) -> str:
    if isinstance(value, str):
        value = value[:MAX_VALUE_CHARS]
    return to_json(value, inf_nan_mode="constants", fallback=repr).decode()[:MAX_VALUE_CHARS]
