"""Measurements of a command against their limits: a table for people, JSON for machines, an exit code for scripts."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

LAST_GRACE_S = 90.0  # to stop everything, after the time is up

Value = int | float | str


class Stopped(BaseException):
    """The command's time is up, or it was interrupted; no `except Exception` on the way swallows it."""


@dataclass(frozen=True)
class Measure:
    """One thing that was measured."""

    name: str
    value: Value
    bar: str = ""
    """Limit of the value, in words; empty where it has none."""
    met: bool = True


class Report:
    """Measurements so far.

    Args:
        title: of the table.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self.measures: list[Measure] = []
        self.lines: list[str] = []
        """Shown below the table, such as how to see a failure again."""
        self.figures: dict[str, Any] = {}
        """Not shown, but saved: what a row sums up."""

    @property
    def ok(self) -> bool:
        """Whether something was measured and no bar was missed."""
        return bool(self.measures) and all(measure.met for measure in self.measures)

    def tell(self, name: str, value: Value) -> None:
        """Add a value that has no bar."""
        self.measures.append(Measure(name, value))

    def equals(self, name: str, value: Value, wanted: Value) -> None:
        """Add a value that has to be just this."""
        self.measures.append(Measure(name, value, f"= {wanted}", value == wanted))

    def at_most(self, name: str, value: float, most: float) -> None:
        """Add a value that has an upper bound."""
        self.measures.append(Measure(name, value, f"<= {most:g}", value <= most))

    def at_least(self, name: str, value: float, least: float) -> None:
        """Add a value that has a lower bound."""
        self.measures.append(Measure(name, value, f">= {least:g}", value >= least))

    def check(self, name: str, value: Value, bar: str, *, met: bool) -> None:
        """Add a value whose bar is more than a number."""
        self.measures.append(Measure(name, value, bar, met))

    def show(self) -> None:
        """Print the table and the lines below it."""
        table = Table(title=self._title, title_justify="left")
        for heading, justify in (("measured", "left"), ("value", "right"), ("bar", "left"), ("", "left")):
            table.add_column(heading, justify=justify)  # type: ignore[arg-type]
        for measure in self.measures:
            verdict = "" if not measure.bar else "[green]met[/]" if measure.met else "[red]MISSED[/]"
            table.add_row(measure.name, _text(measure.value), measure.bar, verdict)
        console = Console(width=None if sys.stdout.isatty() else 120)
        console.print(table)
        for line in self.lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        measures = [asdict(measure) for measure in self.measures]
        known = {"title": self._title, "ok": self.ok, "measures": measures, "lines": self.lines}
        known |= {"figures": self.figures} if self.figures else {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(known, indent=2) + "\n")


class Line:
    """The progress line: how many of how many, and a few words."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("starting", total=None)

    def show(self, words: str, done: float | None = None, total: float | None = None) -> None:
        """Show the current step."""
        self._progress.update(self._task, description=words, completed=done, total=total)

    @contextmanager
    def counting(self, words: str, seconds: int) -> Iterator[None]:
        """Show the seconds that something takes which doesn't tell how far it is."""
        over = threading.Event()

        def count() -> None:
            for second in range(seconds + 1):
                self.show(words, second, seconds)
                if over.wait(1.0):
                    return

        counter = threading.Thread(target=count, daemon=True)
        counter.start()
        try:
            yield
        finally:
            over.set()
            counter.join()


def run(title: str, measure: Callable[[Report, Line], None], *, limit_s: float, out: Path | None) -> int:
    """Measure, show and save; returns the exit code: 0 where all bars are met, 1 whatever else happens.

    Args:
        title: of the table.
        measure: adds to the report.
        limit_s: when the time is up, what was measured until then is shown, and the command fails.
        out: where the JSON goes, if anywhere.
    """
    report = Report(title)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with _within(limit_s), Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            measure(report, Line(progress))
    except (Exception, Stopped) as error:
        report.check("finished", type(error).__name__, "without an error", met=False)
        report.lines.append(str(error))
    report.show()
    if out is not None:
        report.save(out)
    return 0 if report.ok else 1


@contextmanager
def _within(limit_s: float) -> Iterator[None]:
    """Raise `Stopped` in the main thread when time is up or on SIGTERM; end the process where that doesn't help."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise Stopped(f"not done after {limit_s:.0f} s" if number == signal.SIGALRM else "asked to end")

    last = threading.Timer(limit_s + LAST_GRACE_S, os._exit, args=(1,))  # its children end with it
    last.daemon = True
    last.start()
    previous = {number: signal.signal(number, give_up) for number in (signal.SIGALRM, signal.SIGTERM)}
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in previous.items():
            signal.signal(number, handler)
        last.cancel()


def _text(value: Value) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
