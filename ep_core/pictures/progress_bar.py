"""Progress bar for Python callers, in a terminal or a notebook."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TypeAlias

from rich.console import Console
from rich.progress import Progress as Bars

from ep_core.schemas.progress import OnProgress, Progress

MOVES_EVERY_S = 0.1
"""Seconds between two moves of a notebook's bar, which are messages to a browser."""

_Move: TypeAlias = Callable[[int, int], None]


@contextmanager
def progress_shown(doing: str, on_progress: OnProgress | None, *, show: bool | None) -> Iterator[OnProgress | None]:
    """Give what a run is to call with its progress: the caller's own, and where wanted a bar that it moves.

    The bar is drawn on standard error, or below a notebook's cell. It goes at the end, also after an error.

    Args:
        doing: the bar's label.
        on_progress: the caller's own; called first.
        show: whether there is a bar; None: in a notebook.
    """
    is_notebook = in_notebook()
    if not (is_notebook if show is None else show):
        yield on_progress
        return
    with _below_the_cell(doing) if is_notebook else _in_the_terminal(doing) as move:

        def both(progress: Progress) -> None:
            if on_progress is not None:
                on_progress(progress)
            move(progress.iteration, progress.total)

        yield both


def in_notebook() -> bool:
    """Return whether this process runs the cells of a notebook."""
    ipython = sys.modules.get("IPython")  # which a notebook has loaded
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


@contextmanager
def _in_the_terminal(doing: str) -> Iterator[_Move]:
    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(doing, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def _below_the_cell(doing: str) -> Iterator[_Move]:
    """Draw a bar that needs no widgets: HTML, which is replaced."""
    from IPython.display import HTML, display

    bar = display(HTML(bar_html(doing, 0.0)), display_id=True)
    moved_at = time.monotonic()

    def move(done: int, total: int) -> None:
        nonlocal moved_at
        if time.monotonic() - moved_at >= MOVES_EVERY_S:
            moved_at = time.monotonic()
            bar.update(HTML(bar_html(doing, done / max(1, total))))

    try:
        yield move
    finally:
        bar.update(HTML(""))


def bar_html(doing: str, fraction: float) -> str:
    """Return a bar as HTML; `fraction` is in [0, 1]."""
    return f'{escape(doing)} <progress value="{fraction:.3f}" max="1"></progress> {fraction:.0%}'
