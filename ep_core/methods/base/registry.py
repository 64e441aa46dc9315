"""Registry of the methods by name. `spec.METHODS` lists the names without loading anything."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from ep_core.errors import UnknownName
from ep_core.schemas.specs import METHODS
from ep_core.schemas.targets import nearest_names

from .method import Method, MethodUnavailable


@cache
def get_method(name: str) -> Method:
    """Return a method.

    Raises:
        UnknownName: there is no such method; the error carries the nearest names.
        MethodUnavailable: a package that it needs isn't installed.
    """
    if name not in METHODS:
        raise UnknownName(
            f"there is no method {name!r}; the methods are {', '.join(METHODS)}",
            field="methods",
            nearest=nearest_names(name, METHODS),
        )
    try:
        module = import_module(f"ep_core.methods.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("ep_core"):
            raise
        raise MethodUnavailable(
            f"{name} needs the package {error.name}: install the extra `baselines` (pip install '.[baselines]')"
        ) from error
    method: Method = module.METHOD
    return method
