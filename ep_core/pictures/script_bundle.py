"""One script of several JavaScript modules, for a page that is opened from disk, where browsers load no modules."""

from __future__ import annotations

import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+)\.js";[^\n]*\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function\*? (\w+)|const (\w+)|class (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b[^\n]*", re.MULTILINE)


def bundle(modules: Mapping[str, str], entry: str) -> str:
    """Return a script that runs a module after those that it imports, each in a scope of its own.

    Args:
        modules: their texts by name, without ``.js``. They import each other as ``import { a, b as c } from "./x.js"``,
            and export functions, constants and classes where these are declared.
        entry: the module to run.

    Raises:
        ValueError: modules import each other in a circle, or in another form.
        KeyError: there is no such module.
    """
    parts: dict[str, str] = {}
    _add(entry, modules, parts, ())
    return "\n".join(parts.values())


def _add(name: str, modules: Mapping[str, str], parts: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"modules import each other: {' -> '.join((*above, name))}")
    if name in parts:
        return
    for _, imported in _IMPORT.findall(modules[name]):
        _add(imported, modules, parts, (*above, name))
    parts[name] = _scoped(name, modules[name])


def _scoped(name: str, text: str) -> str:
    """Return a module as a constant that holds what it exports."""
    exported = [next(filter(None, names)) for names in _EXPORT.findall(text)]
    body = _EXPORT.sub("", _IMPORT.sub(_taken, text))
    if other := _OTHER.search(body):
        raise ValueError(f"{name}.js: {other.group()!r} is in a form that can't be bundled")
    return f"const {_constant(name)} = (() => {{\n{body}return {{ {', '.join(exported)} }};\n}})();"


def _taken(found: re.Match[str]) -> str:
    """Return an import as the taking apart of a constant."""
    names = re.sub(r"(\w+) as (\w+)", r"\1: \2", found.group(1))
    return f"const {{{names}}} = {_constant(found.group(2))};\n"


def _constant(name: str) -> str:
    return f"module_{name.replace('-', '_')}"
