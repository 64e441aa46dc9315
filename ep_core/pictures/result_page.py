"""Page that shows one result: opened from disk, without a server and a network. Imports no torch.

Its scripts and styles, in `view/`, are those with which the dashboard shows a result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .script_bundle import bundle
from .templates import templates

VIEW = Path(__file__).with_name("view")
SIDE = 900
"""Most pixels of the longer side of a page's pictures."""
_STYLES = ("base.css", "look.css")
_ENTRY = "exported"


def result_page(result: Mapping[str, Any], image: str, *, title: str, made_by: str) -> str:
    """Return the page of a result of the task `extremal`.

    Args:
        result: the document that the API serves, ``mask`` of its points (and alternatives, contrast) as ``data:`` URLs.
        image: the photograph as such a URL.
        title: of the page.
        made_by: the program and its version.
    """
    return (
        templates("ep_core.pictures")
        .get_template("result.html.j2")
        .render(
            title=title,
            made_by=made_by,
            data=_as_script({"result": result, "image": image}),
            styles="\n".join((VIEW / name).read_text(encoding="utf-8") for name in _STYLES),
            script=_script(),
        )
    )


@cache
def _script() -> str:
    return bundle({path.stem: path.read_text(encoding="utf-8") for path in VIEW.glob("*.js")}, _ENTRY)


def _as_script(data: Any) -> str:
    """Return JSON that can stand inside a script element: no text in it ends the element or begins a comment."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
