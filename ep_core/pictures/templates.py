"""Templates of HTML pages (jinja2): those of a package, which may extend `page.html.j2`, the frame of every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def templates(package: str) -> Environment:
    """Return the templates of a package, and after them those here.

    What a template is given is escaped. A name that it isn't given is an error. The filter `setting` shows a parameter.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("ep_core.pictures", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["setting"] = setting
    return environment


def setting(value: object) -> str:
    """Return the value of a setting as people read it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(setting, value))
    return "default" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
