"""Results in a notebook: a page in a frame, or a picture; several beside each other."""

from __future__ import annotations

import base64
from html import escape
from typing import Any, Protocol

from .results import Result

PAGE_HEIGHT = 720
LEAST_WIDTH = 400
"""Pixels of a result beside others, at least; where there is no room, they are below each other."""
_PICTURES = ("comparison", "sheet", "saliency")


class Shown(Protocol):
    """Result that a notebook shows as HTML."""

    def _repr_html_(self) -> str | None: ...


class Beside:
    """Results that a notebook shows beside each other."""

    def __init__(self, *results: Shown) -> None:
        self._results = results

    def _repr_html_(self) -> str:
        column = f"flex: 1 1 {LEAST_WIDTH}px; min-width: 0"
        columns = "".join(f'<div style="{column}">{one._repr_html_() or ""}</div>\n' for one in self._results)
        return f'<div style="display: flex; flex-wrap: wrap; gap: 12px">\n{columns}</div>'


def beside(*results: Shown) -> Beside:
    """Return results as a notebook shows them beside each other: of two models, two targets, two images."""
    return Beside(*results)


def result_html(result: Result[Any]) -> str | None:
    """Return the page of a result in a frame, which reaches nothing around it; of one without a page, its picture.

    Raises:
        ServiceError, Unreachable: they can't be fetched.
    """
    if "page" in result.files:
        style = f"width: 100%; height: {PAGE_HEIGHT}px; border: 0"
        page = escape(result.files["page"].text())
        return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{page}"></iframe>'
    picture = next((result.files[name] for name in _PICTURES if name in result.files), None)
    if picture is None:
        return None
    url = f"data:image/png;base64,{base64.b64encode(picture.read()).decode()}"
    return f'<img src="{url}" style="max-width: 100%" alt="{escape(repr(result))}">'
