"""Progress of a job or a batch: a bar of rich's or tqdm's where there is somebody to see it, or a function."""

from __future__ import annotations

import html
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from .generated.schemas import JobRead


@dataclass(frozen=True)
class BatchProgress:
    """How far the images of a batch are."""

    total: int
    done: int
    """With a result or without one."""
    failed: int
    """Of them, those without one."""
    fraction: float
    """How much is done, in [0, 1], with those that run."""


Seen: TypeAlias = JobRead | BatchProgress
Progress: TypeAlias = bool | Callable[[Any], None] | None
"""A bar (True), none (False), a bar where standard error is a terminal or a notebook's (None), or a function that is
called with the job as it is, or a `BatchProgress`, at each change."""

MOVES_EVERY_S = 0.1
"""Seconds between two moves of a notebook's bar, which are messages to a browser."""
_Move: TypeAlias = Callable[[float, str], None]
_WORDS = {
    "walks": "coarse masks",
    "masks": "masks",
    "rivals": "rivals",
    "contrast": "contrast",
    "alternatives": "others",
}


@contextmanager
def shown(progress: Progress, what: str) -> Iterator[Callable[[Seen], None]]:
    """Give what is to be called at each change.

    Args:
        progress: what the caller asked for.
        what: the bar's label.
    """
    if callable(progress):
        yield progress
        return
    wanted = is_seen() if progress is None else progress
    bar = _notebook if wanted and in_notebook() else None
    bar = bar or next((make for library, make in _BARS.items() if wanted and _has(library)), None)
    if bar is None:
        yield lambda seen: None
        return
    with bar(what) as move:
        yield lambda seen: move(fraction_of(seen), words_of(seen))


def is_seen() -> bool:
    """Return whether standard error leads to a terminal or a notebook."""
    return sys.stderr.isatty() or in_notebook()


def in_notebook() -> bool:
    """Return whether this process runs the cells of a notebook."""
    ipython = sys.modules.get("IPython")  # which a notebook has loaded
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def fraction_of(seen: Seen) -> float:
    """Return how much is done, in [0, 1]."""
    if isinstance(seen, BatchProgress):
        return seen.fraction
    if seen.progress is not None:
        return seen.progress.fraction
    return 1.0 if seen.finished_at else 0.0


def words_of(seen: Seen) -> str:
    """Return what is being done, in words."""
    if isinstance(seen, BatchProgress):
        return f"{seen.done} of {seen.total}" + (f", {seen.failed} failed" if seen.failed else "")
    if seen.status != "running":
        return f"{seen.status}, number {seen.position}" if seen.position else seen.status
    stage = seen.progress.stage if seen.progress else None
    return _WORDS.get(stage, stage) if stage else "running"


def _has(library: str) -> bool:
    try:
        importlib.import_module(library)
    except ImportError:
        return False
    return True


@contextmanager
def _notebook(what: str) -> Iterator[_Move]:
    """Draw a bar below the cell, which needs no widgets: HTML, which is replaced."""
    shows: Any = importlib.import_module("IPython.display")
    bar = shows.display(shows.HTML(bar_html(what, 0.0, "")), display_id=True)
    moved_at = time.monotonic()

    def move(fraction: float, doing: str) -> None:
        nonlocal moved_at
        if time.monotonic() - moved_at >= MOVES_EVERY_S:
            moved_at = time.monotonic()
            bar.update(shows.HTML(bar_html(what, fraction, doing)))

    try:
        yield move
    finally:
        bar.update(shows.HTML(""))


def bar_html(what: str, fraction: float, doing: str) -> str:
    """Return a bar as HTML; `fraction` is in [0, 1]."""
    bar = f'<progress value="{fraction:.3f}" max="1"></progress>'
    return f"{html.escape(what)} {bar} {fraction:.0%} {html.escape(doing)}"


@contextmanager
def _rich(what: str) -> Iterator[_Move]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bars(*columns, TextColumn("{task.fields[doing]}"), console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=1.0, doing="")
        yield lambda fraction, doing: bars.update(task, completed=fraction, doing=doing)


@contextmanager
def _tqdm(what: str) -> Iterator[_Move]:
    from tqdm.auto import tqdm

    with tqdm(total=100, desc=what, leave=False, bar_format="{desc}: {percentage:3.0f}%|{bar}| {postfix}") as bar:

        def move(fraction: float, doing: str) -> None:
            bar.set_postfix_str(doing, refresh=False)
            bar.n = round(100 * fraction)
            bar.refresh()

        yield move


_BARS = {"rich": _rich, "tqdm": _tqdm}
"""By the library that draws it; the first that is there is taken."""
