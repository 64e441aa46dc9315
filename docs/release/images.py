"""Packages in each image: its extras, as its Dockerfile installs them, and all that these ask for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IMAGES = ("api", "worker")


def extras(image: str) -> tuple[str, ...]:
    """Return the extras that an image installs."""
    text = (ROOT / "docker" / f"{image}.Dockerfile").read_text(encoding="utf-8")
    (listed,) = re.findall(r"pip install .*'\.\[(.*)\]'", text)
    return tuple(listed.split(","))


def packages(image: str) -> set[str]:
    """Return the names of all packages of an image; what isn't installed here is left out, with what it asks for."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(f"{PROJECT['name']}[{','.join(extras(image))}]")]
    while waiting:
        one = waiting.pop()
        key = canonicalize_name(one.name), frozenset(one.extras)
        if key not in seen:
            seen.add(key)
            waiting += _needed(one)
    return {name for name, _ in seen if name != PROJECT["name"] and _is_here(name)}


def _needed(one: Requirement) -> Iterator[Requirement]:
    """Yield what a package asks for with its extras, on this machine."""
    if one.name == PROJECT["name"]:
        lines: Iterable[str] = [*PROJECT["dependencies"]]
        lines = [*lines, *(line for extra in one.extras for line in PROJECT["optional-dependencies"][extra])]
    else:
        try:
            lines = requires(one.name) or ()
        except PackageNotFoundError:
            return
    for needed in map(Requirement, lines):
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)):
            yield needed


def _is_here(name: str) -> bool:
    try:
        requires(name)
    except PackageNotFoundError:
        return False
    return True
