"""What the commands of `ep evaluate` share: options, progress, and the report at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import JustifyMethod
from rich.table import Table as TerminalTable
from rich.text import Text

from ep_core.cli.printable import printable
from ep_core.cli.terminal import check_writable, errors_in_words, listed, out_console, progress_bars
from ep_core.errors import InvalidInput
from ep_core.evaluation.reporting.report import EvaluationReport, Table, write_report
from ep_core.evaluation.run import OnRunProgress
from ep_core.pictures.photographs import all_photographs, pick
from ep_core.schemas.specs import DEFAULT_AREAS, METHODS

if TYPE_CHECKING:
    from ep_core.models import Classifier

Photographs = Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.", exists=True)]
Images = Annotated[
    int | None, typer.Option("--images", "-n", min=1, help="Most photographs taken, drawn with the seed; default: all.")
]
Methods = Annotated[
    str, typer.Option("--methods", help=f"Separated by commas; all: {', '.join(METHODS)}.", show_default="all")
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for logs and reports; a stopped run goes on from it.")]
Areas = Annotated[str, typer.Option(help="Shares of the image, separated by commas.")]
Samples = Annotated[
    int | None,
    typer.Option(help="Images of RISE (default 4000), LIME (1000), SmoothGrad (50), superpixel searches."),
]
Layer = Annotated[
    str | None,
    typer.Option(
        "--layer",
        "-l",
        help="Read by Grad-CAM and excitation backprop (`ep models --layers`); default: their own.",
    ),
]
Iterations = Annotated[int | None, typer.Option(help="Steps per area of the extremal masks; default: the preset's.")]
Preset = Annotated[str, typer.Option(help="Of the extremal masks: fast, or paper (1600 iterations).")]
Seeds = Annotated[
    str, typer.Option(help="Separated by commas: methods that draw at random run with each, the others once.")
]
Seed = Annotated[int, typer.Option(help="Seeds whatever is drawn at random.")]
DEFAULT_OUT = Path("evaluation")
MOST_ROWS = 30
ALL_METHODS = ",".join(METHODS)


def areas_text(areas: Sequence[float]) -> str:
    """Return areas as an option's value."""
    return ",".join(f"{area:g}" for area in areas)


PAPERS_AREAS = areas_text(DEFAULT_AREAS)


def photographs_of(paths: Sequence[Path], images: int | None, seed: int) -> list[Path]:
    """Return the photographs that are asked for.

    Raises:
        InvalidInput: there is none.
    """
    found = all_photographs(paths)
    return found if images is None else sorted(pick(found, count=images, seed=seed))


def seeds_of(text: str) -> list[int]:
    """Return the seeds that an option lists.

    Raises:
        InvalidInput: they aren't whole numbers.
    """
    try:
        return [int(part) for part in listed(text)] or [0]
    except ValueError:
        raise InvalidInput(f"seeds must be whole numbers separated by commas, not {text!r}", field="seeds") from None


@contextmanager
def evaluating(name: str, out: Path) -> Iterator[None]:
    """Turn what a user can mend into words.

    Args:
        name: the command's.
        out: the folder that is written to.
    """
    with errors_in_words(f"evaluate {name}", stopped="what is done is kept: the same command goes on from there"):
        check_writable(out)
        yield


@contextmanager
def watched() -> Iterator[OnRunProgress]:
    """Show how far an evaluation is."""
    with progress_bars() as bars:
        task = bars.add_task("", total=1.0)
        yield lambda share, what: bars.update(task, completed=share, description=what[:60])


def loaded(name: str, models_file: Path | None, device: str | None) -> Classifier:
    """Return the model that is asked for."""
    from ep_core.models import load_model

    return load_model(name, models_file=models_file, device=device)


def conclude(report: EvaluationReport, out: Path) -> None:
    """Write a report, and show its tables; those that are too long for a terminal are in the report only."""
    path = write_report(report, out)
    for table in report.tables:
        if len(table.rows) > MOST_ROWS:
            continue
        out_console.print(terminal_table(table))
        if table.note:
            out_console.print(table.note, style="dim", highlight=False)
    for figure in report.figures:
        out_console.print(f"{figure.title}: {out / figure.file}", highlight=False, soft_wrap=True)
    out_console.print(f"The report is {path}; `ep evaluate report {out}` makes a page of all.", soft_wrap=True)


def terminal_table(table: Table) -> TerminalTable:
    """Return a table as the terminal shows it."""
    shown = TerminalTable(title=table.title, title_justify="left", box=None, header_style="bold")
    for k, column in enumerate(table.columns):
        widest = max((len(table.shown(row[k])) for row in table.rows), default=0)
        figures = table.is_figures(k)
        justify: JustifyMethod = "right" if figures else "left"
        shown.add_column(column, justify=justify, overflow="fold", min_width=widest if figures or k == 0 else None)
    for row in table.rows:
        best = (table.is_best(k, cell) for k, cell in enumerate(row))
        shown.add_row(
            *(
                Text(printable(table.shown(cell)), "bold" if is_best else "")
                for cell, is_best in zip(row, best, strict=True)
            )
        )
    return shown
