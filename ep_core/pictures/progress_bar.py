"""Progress bar for Python callers, in a terminal or a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bars

from ep_core.schemas.progress import OnProgress, Progress


@contextmanager
def progress_shown(doing: str, on_progress: OnProgress | None, *, show: bool) -> Iterator[OnProgress | None]:
    """Give what a run is to call with its progress: the caller's own, and where wanted a bar that it moves.

    The bar is drawn on standard error, or below a notebook's cell (with `ipywidgets`). It goes at the end, also after
    an error.

    Args:
        doing: the bar's label.
        on_progress: the caller's own; called first.
        show: whether there is a bar.
    """
    if not show:
        yield on_progress
        return
    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(doing, total=None)

        def both(progress: Progress) -> None:
            if on_progress is not None:
                on_progress(progress)
            bars.update(task, completed=progress.iteration, total=progress.total)

        yield both
