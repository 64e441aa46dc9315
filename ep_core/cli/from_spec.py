"""Options of a command, made from the fields of a spec: names, defaults, ranges and texts are written once, there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, get_args, get_type_hints

import typer

from ep_core.schemas.specs import CommonSpec

from .completion import model_names
from .place_words import place_target
from .shares import shares
from .target_pictures import with_pictures
from .terminal import NOTHING_WRITTEN, errors_in_words, listed

NAMES: dict[str, tuple[str, ...]] = {
    "model": ("--model", "-m"),
    "target": ("--target", "-t"),
    "layer": ("--layer", "-l"),
    "check_extremality": ("--check/--no-check",),
}
"""Options that are not called like their fields, or have a short name too."""
TERMS = {
    "`GET /v1/models/{name}`": "`ep models --layers NAME`",
    "`GET /v1/models`": "`ep models`",
    '`{"class": 3, "instead_of": 7}`': "`3 instead of 7`",
    '`{"text": "a bus in snow", "against": ["a truck"]}`': "`text: a bus in snow against a truck; a car`",
    '`{"similar_to": "target_image"}`': "`--target-image`",
    '`{"box": [40, 60, 320, 400], "label": "dog"}`': "`dog at 40, 60, 320, 400`",
    '`{"segment": "dog", "within": [40, 60, 320, 400]}`': "`dog within 40, 60, 320, 400`",
    '`{"segment": "dog"}`': "`dog within its pixels`",
    "null takes": "default:",
    "null explains": "default:",
    "null:": "default:",
}
"""Terms of the HTTP API in the fields' descriptions, and those of the terminal."""
INSTEAD_OF = " instead of "
"""Words between the two classes of a contrast."""
TEXT, AGAINST, OR = "text:", " against ", ";"
"""Words of a text as the target: `text: a bus in snow against a truck; a car`."""
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
TYPES = {"integer": int, "number": float, "boolean": bool}

Command = Callable[..., None]


class Fields:
    """Some fields of a spec, for a command that has no options for the others, or other defaults and texts.

    Attributes:
        fields: the fields that have options, in the order of the options.
        defaults: the command's own defaults, by field. None leaves a field out of the spec where it isn't given.
        texts: the command's own texts, by field, in place of the fields' descriptions.

    Example:
        ``spec: Annotated[ExtremalSpec, Fields("model", "areas", defaults={"areas": (0.1, 0.2)})]``
    """

    def __init__(
        self, *fields: str, defaults: Mapping[str, Any] | None = None, texts: Mapping[str, str] | None = None
    ) -> None:
        self.fields = fields
        self.defaults = defaults or {}
        self.texts = texts or {}


@dataclass(frozen=True)
class SpecOption:
    """Option of a command, for a field of a spec."""

    field: str
    schema: Mapping[str, Any]
    """JSON schema of the field."""
    default: Any
    text: str
    """The field's description, in the terms of the HTTP API."""

    @property
    def kinds(self) -> list[Mapping[str, Any]]:
        """Schemas of what the field takes besides null and objects: one, or several for a field such as `target`."""
        return [kind for kind in self.schema.get("anyOf", [self.schema]) if kind.get("type", "null") != "null"]

    def parameter(self) -> inspect.Parameter:
        """Return the option as a parameter that Typer understands."""
        first, *others = self.kinds
        kind = str if others else TYPES.get(first["type"], str)
        choices = first.get("enum")
        info = typer.Option(
            *self._names(),
            help=self.help(),
            metavar=f"[{'|'.join(choices)}]" if choices else None,
            show_default="default" not in self.help().lower(),
            autocompletion=self._completion(),
        )
        default = ",".join(map(str, self.default)) if first["type"] == "array" and self.default else self.default
        annotation = Annotated[kind | None, info]  # type: ignore[valid-type]
        return inspect.Parameter(self.field, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    def help(self) -> str:
        """Return the text in the terms of the terminal, with what its values are."""
        text = self.text
        for term, ours in TERMS.items():
            text = text.replace(term, ours)
        first, *others = self.kinds
        values = "" if others else _values(first)
        return f"{text} {values}".strip()

    def value(self, given: Any) -> Any:
        """Return the field's value, from the option's; what can't be one is left for the spec to refuse."""
        if not isinstance(given, str):
            return given
        if self.field == "target":
            return _target(given)
        kinds = {kind["type"]: kind for kind in self.kinds}
        if "array" in kinds:
            return self._items(listed(given), kinds["array"]["items"])
        return _whole_number(given) if "integer" in kinds else given

    def _items(self, parts: list[str], kind: Mapping[str, Any]) -> list[int | str] | list[str]:
        if kind["type"] == "integer":
            return [*map(_whole_number, parts)]
        return shares(parts, self._names()[0]) if _is_share(kind) else parts

    def _completion(self) -> Callable[..., list[str]] | None:
        """Return what completes the option's value in a shell: names of models, or the values that there are."""
        if self.field == "model":
            return model_names
        choices: list[str] = self.kinds[0].get("enum", [])
        return (lambda incomplete: [one for one in choices if one.startswith(incomplete)]) if choices else None

    def _names(self) -> tuple[str, ...]:
        dashed = self.field.replace("_", "-")
        both = f"--{dashed}/--no-{dashed}" if self.kinds[0]["type"] == "boolean" else f"--{dashed}"
        return NAMES.get(self.field, (both,))


def options_of(spec: type[CommonSpec], chosen: Fields | None = None) -> list[SpecOption]:
    """Return the options for a spec's fields, in the order of the fields; the task, which is fixed, has none.

    Args:
        spec: a task's.
        chosen: some of the fields; None takes all of them as they are.
    """
    fields = spec.model_json_schema()["properties"]
    chosen = chosen or Fields(*(name for name, schema in fields.items() if "const" not in schema))
    return [
        SpecOption(
            name,
            schema=fields[name],
            default=chosen.defaults.get(name, fields[name].get("default")),
            text=chosen.texts.get(name, fields[name].get("description", "")),
        )
        for name in chosen.fields
    ]


def spec_command(name: str, *, stopped: str = NOTHING_WRITTEN) -> Callable[[Command], Command]:
    """Give a command the options of the spec that it takes, and put a user's mistakes into words.

    The command has a parameter that is annotated with a spec's class, or with that and `Fields`. In its place there
    are the options for the spec's fields; the command itself is called with the spec. Where the command has the options
    for a target's own picture (`target_pictures`), the spec's target is what these say, too.

    Args:
        name: the command's.
        stopped: what to say when the user stops it.
    """

    def make(command: Command) -> Command:
        hints = get_type_hints(command, include_extras=True)
        taken, spec, chosen = next(_specs(hints))
        options = options_of(spec, chosen)

        @wraps(command)
        def run(**values: Any) -> None:
            with errors_in_words(name, stopped=stopped):
                given = {option.field: option.value(values.pop(option.field)) for option in options}
                if "target_image" in values:
                    pictures = {"image": values["target_image"], "mask": values["target_mask"]}
                    given["target"] = with_pictures(given["target"], **pictures)
                fields = {field: value for field, value in given.items() if value is not None}
                command(**values, **{taken: spec.model_validate(fields)})

        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(command).parameters.values():
            if own.name == taken:
                parameters += [option.parameter() for option in options]
            else:
                parameters.append(own.replace(annotation=hints[own.name], kind=inspect.Parameter.KEYWORD_ONLY))
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return make


def _specs(hints: Mapping[str, Any]) -> Iterator[tuple[str, type[CommonSpec], Fields | None]]:
    """Yield the parameters of a command that are specs: name, class, and the fields chosen."""
    for name, hint in hints.items():
        kind, *marks = get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
        if isinstance(kind, type) and issubclass(kind, CommonSpec):
            yield name, kind, next((mark for mark in marks if isinstance(mark, Fields)), None)


def _values(kind: Mapping[str, Any]) -> str:
    """Return what the values of a field are, in a sentence; empty where nothing is to be said."""
    if kind["type"] == "array":
        choices = kind["items"].get("enum")
        if _is_share(kind["items"]):
            return "Separated by commas, as 0.1,0.2 or 10,20%."
        return f"Separated by commas; all: {', '.join(choices)}." if choices else "Separated by commas."
    bounds = ", ".join(f"{words} {_shown(kind[bound])}" for bound, words in BOUNDS.items() if bound in kind)
    return f"{bounds.capitalize()}." if bounds else ""


def _is_share(kind: Mapping[str, Any]) -> bool:
    """Return whether a field's values are shares, which may be written in percent."""
    return kind["type"] == "number" and kind.get("exclusiveMaximum") == 1


def _shown(bound: float) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _target(given: str) -> Any:
    """Return a target, from what people write on a command line."""
    if given.startswith(TEXT):
        text, _, against = given.removeprefix(TEXT).partition(AGAINST)
        return {"text": text.strip(), "against": [one.strip() for one in against.split(OR) if one.strip()]}
    if place := place_target(given):
        return place | {key: _whole_number(place[key]) for key in ("label", "segment") if place.get(key)}
    if INSTEAD_OF in given:
        wanted, rival = map(_whole_number, map(str.strip, given.split(INSTEAD_OF, 1)))
        return {"class": wanted, "instead_of": rival}
    return _whole_number(given)


def _whole_number(text: str) -> int | str:
    return int(text) if re.fullmatch("-?[0-9]{1,30}", text) else text
