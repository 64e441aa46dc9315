"""Messages of validation errors: the value given, and what it must be. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .specs.target import OBJECTS

MAX_VALUE_CHARS = 40
_SCALARS = ("int_type", "string_type")
_INNER = frozenset(name for one in OBJECTS for name in one.model_json_schema()["properties"])
"""Fields of the objects that a field may hold."""

_WORDS: dict[str, Callable[[str, Mapping[str, Any]], str]] = {
    "less_than": lambda value, bound: f"{value} is too large: it must be less than {_bound(bound['lt'])}",
    "less_than_equal": lambda value, bound: f"{value} is too large: it must be at most {_bound(bound['le'])}",
    "greater_than": lambda value, bound: f"{value} is too small: it must be more than {_bound(bound['gt'])}",
    "greater_than_equal": lambda value, bound: f"{value} is too small: it must be at least {_bound(bound['ge'])}",
    "too_short": lambda _, bound: f"there must be at least {bound['min_length']}, not {bound['actual_length']}",
    "too_long": lambda _, bound: f"there may be at most {bound['max_length']}",
    "string_too_short": lambda _, bound: f"it must have at least {bound['min_length']} characters",
    "string_too_long": lambda _, bound: f"it may have at most {bound['max_length']} characters",
    "literal_error": lambda value, known: f"{value} is none of {known['expected']}",
    "enum": lambda value, known: f"{value} is none of {known['expected']}",
    "missing": lambda *_: "it is missing",
    "extra_forbidden": lambda *_: "there is no such field",
    "json_invalid": lambda _, found: f"it is not valid JSON: {found['error']}",
    "value_error": lambda _, found: str(found["error"]),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), lambda value, _: f"{value} is not a whole number"),
    "float_type": lambda value, _: f"{value} is {_no_number(value)}",
    "float_parsing": lambda value, _: f"{value} is not a number",
    **dict.fromkeys(("bool_type", "bool_parsing"), lambda value, _: f"{value} is neither true nor false"),
    **dict.fromkeys(("list_type", "tuple_type"), lambda value, _: f"{value} is not a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), lambda value, _: f"{value} is not an object"),
    "finite_number": lambda value, _: f"{value} is not a finite number",
    "string_type": lambda value, _: f"{value} is not a text",
}


def _no_number(value: str) -> str:
    if value.lstrip("-").isdigit():  # whole, and beyond a double
        return "too small" if value.startswith("-") else "too large"
    return "not a number"


def _bound(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def in_words(error: Mapping[str, Any]) -> str:
    """Return what is wrong and what is allowed, without the name of the field.

    Args:
        error: one of pydantic's `ValidationError.errors()`.
    """
    words = _WORDS.get(error["type"])
    if words is None:
        return str(error["msg"])
    return words(_shown(error["input"]), error.get("ctx", {}))


def without_echoes(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return errors without those that only follow from others, or from another form that a value may have.

    Of a list's length where its items are at fault: pydantic counts only good ones. Of a field that takes numbers,
    texts and objects: what an object isn't, where one was given that is at fault itself, and that another value is no
    object.
    """
    places = [error["loc"] for error in errors]
    lists = {place[:-1] for place in places if place}

    def is_echo(error: Mapping[str, Any]) -> bool:
        place, kind = error["loc"], error["type"]
        around = place[:-1]
        others = [one for one in places if around and one[: len(around)] == around and one != place]
        if kind == "too_short":
            return place in lists
        if kind in ("model_type", "union_tag_not_found"):
            return bool(others)
        return kind in _SCALARS and isinstance(error["input"], Mapping) and any(len(one) > len(place) for one in others)

    return [error for error in errors if not is_echo(error)]


def inner_fields(error: Mapping[str, Any]) -> list[str]:
    """Return the fields of an object within a field that an error is about; the names of a union's members left out.

    Args:
        error: one of pydantic's `ValidationError.errors()`, its `loc` beginning with the field.

    Example:
        >>> inner_fields({"loc": ("target", "ClassContrast", "instead_of"), "type": "missing"})
        ['instead_of']
    """
    _, *inner = error["loc"]
    unknown = inner[-1:] if error["type"] == "extra_forbidden" else []
    return [str(part) for part in inner if part in _INNER or part in unknown]


def lines(errors: Sequence[Mapping[str, Any]], called: Callable[[list[str]], str] = ".".join) -> list[str]:
    """Return a line for each error, the place first.

    Args:
        errors: pydantic's `ValidationError.errors()`.
        called: returns how a message calls a place.
    """
    return [f"{called([str(part) for part in one['loc']])}: {in_words(one)}" for one in without_echoes(errors)]


def setting(place: list[str]) -> str:
    """Return the name of the environment variable that a setting comes from."""
    return f"EP_{'_'.join(place).upper()}"


def _shown(value: object) -> str:
    """Return a value as a person wrote it; a text that is no number in quotes."""
    if isinstance(value, str):
        return value if _is_number(value) else repr(value[:MAX_VALUE_CHARS])
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)[:MAX_VALUE_CHARS]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return len(text) <= MAX_VALUE_CHARS
