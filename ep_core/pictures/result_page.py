"""Pages that show results: opened from disk, without a server and a network. Imports no torch.

Their scripts and styles, in `view/`, are those with which the dashboard shows results.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from ep_core.version import __version__

from .script_bundle import bundle
from .templates import templates

VIEW = Path(__file__).with_name("view")
SIDE = 900
"""Most pixels of the longer side of the photograph of a sweep."""
TILE_SIDE = 480
"""Most pixels of the longer side of a comparison's pictures."""
_STYLES = ("base.css", "look.css")


class Entry(StrEnum):
    """Module of `view/` that shows what a page holds."""

    SWEEP = "exported"
    """``{"result", "image"}``: the document that the API serves, and the photograph."""
    COMPARISON = "exported_comparison"
    """The same of a comparison."""
    GALLERY = "exported_gallery"
    """``{"images", "made", "more"}``: see `gallery`."""
    DATASET = "exported_dataset"
    """The summary of a dataset's results: see `ep_core.dataset.page`."""


def result_page(entry: Entry, data: Mapping[str, Any], *, title: str) -> str:
    """Return a page.

    Args:
        entry: what shows it.
        data: what it shows, with every picture as a ``data:`` URL.
        title: of the page.
    """
    return held_page(data, title=title, script=_script(entry), styles=_styles())


def held_page(data: Mapping[str, Any], *, title: str, script: str, styles: str) -> str:
    """Return a page that holds what it shows.

    Args:
        data: is found by the script as the JSON of the element `held`.
        title: of the page.
        script: puts what it shows into `main`.
        styles: CSS.
    """
    template = templates("ep_core.pictures").get_template("result.html.j2")
    return template.render(title=title, version=__version__, data=_as_script(data), styles=styles, script=script)


@cache
def _styles() -> str:
    return "\n".join((VIEW / name).read_text(encoding="utf-8") for name in _STYLES)


@cache
def _script(entry: Entry) -> str:
    return bundle({path.stem: path.read_text(encoding="utf-8") for path in VIEW.glob("*.js")}, entry)


def _as_script(data: Any) -> str:
    """Return JSON that can stand inside a script element: no text in it ends the element or begins a comment."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
