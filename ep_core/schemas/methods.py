"""Descriptions of the methods that can be compared, read from their files without running them. Imports no torch."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .specs.compare import METHODS, METHODS_FOLDER


class MethodCard(NamedTuple):
    """Description of a method."""

    name: str
    """Its name in requests: its file's."""
    title: str
    """Usual name of the method."""
    about: str
    """A sentence for those who don't know it; empty where its file has none."""
    source: str
    """Publication: authors, title, venue."""


@cache
def method_cards() -> tuple[MethodCard, ...]:
    """Return the cards of all methods, in the order of `METHODS`."""
    return tuple(read_card(METHODS_FOLDER / f"{name}.py") for name in METHODS)


def read_card(file: Path) -> MethodCard:
    """Return what the ``METHOD = Method(title=..., ...)`` of a file says.

    Raises:
        ValueError: the file has none, or its title, source or sentence are no literals.
    """
    for statement in ast.parse(file.read_bytes()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "METHOD":
            given = {one.arg: one.value for one in getattr(statement.value, "keywords", ())}
            texts = {key: ast.literal_eval(given[key]) for key in MethodCard._fields if key in given}
            return MethodCard(**{"name": file.stem, "title": file.stem, "about": "", "source": ""} | texts)
    raise ValueError(f"{file} has no METHOD")
