"""Results beside each other, in a notebook."""

from __future__ import annotations

from typing import Protocol

LEAST_WIDTH = 400
"""Pixels of a result, at least; where there is no room beside each other, they are below each other."""


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
