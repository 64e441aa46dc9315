"""Reading of JSON as dataclasses, by the types of their fields."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from extremal_client.errors import UnexpectedAnswer

T = TypeVar("T")


def read_as(kind: type[T], document: Any) -> T:
    """Return a JSON object as a dataclass.

    Fields that the dataclass lacks are left out: newer services have more.

    Raises:
        UnexpectedAnswer: a field is missing that has no default, or this isn't an object.
    """
    if not isinstance(document, Mapping):
        raise UnexpectedAnswer(f"a {kind.__name__} was expected, and came as {type(document).__name__}")
    return kind(**arguments_of(kind, document))


def arguments_of(kind: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dataclass is made with; raises as `read_as`."""
    hints = _hints(kind)  # type: ignore[arg-type]  # a class can be hashed
    missing = [
        one.name
        for one in fields(kind)
        if one.init and one.name not in document and one.default is MISSING and one.default_factory is MISSING
    ]
    if missing:
        raise UnexpectedAnswer(
            f"a {kind.__name__} of this service lacks {', '.join(missing)}: its version is too far from this client's"
        )
    return {one.name: _value(hints[one.name], document[one.name]) for one in fields(kind) if one.name in document}


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(kind: Any, value: Any) -> Any:
    """Return a value as its type says; what has no type of ours stays as JSON has it."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        member = _member(inner, value)
        return value if member is None else _value(member, value)
    if is_dataclass(kind) and isinstance(kind, type):
        return read_as(kind, value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if origin is list and isinstance(value, list):
        return [_value(inner[0], one) for one in value]
    if origin is dict and isinstance(value, Mapping):
        return {key: _value(inner[1], one) for key, one in value.items()}
    return value


def _member(members: tuple[Any, ...], value: Any) -> Any:
    """Return the member of a union that a value is read as; None where it stays as it is."""
    if value is None:
        return None
    made = [one for one in members if (is_dataclass(one) or one is datetime) and _takes(one, value)]
    return made[0] if made else None


def _takes(member: Any, value: Any) -> bool:
    """Return whether a value is of a member: told apart by `task`, where it has one."""
    if not is_dataclass(member):
        return isinstance(value, str)
    task = _hints(member).get("task") if isinstance(member, type) else None
    return isinstance(value, Mapping) and (get_origin(task) is not Literal or value.get("task") in get_args(task))
