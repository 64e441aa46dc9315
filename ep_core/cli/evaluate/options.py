"""Options, progress and final reports that the commands of `ep evaluate` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import JustifyMethod
from rich.table import Table as TerminalTable
from rich.text import Text

from ep_core.cli.from_spec import Command, spec_command
from ep_core.cli.terminal import listed, out_console, progress_bars
from ep_core.errors import InvalidInput
from ep_core.evaluation.reporting.report import EvaluationReport, Table, write_report
from ep_core.evaluation.run import OnRunProgress
from ep_core.pictures.photographs import all_photographs, pick
from ep_core.schemas.printable import printable
from ep_core.schemas.specs import CommonSpec, SpatialSpec

if TYPE_CHECKING:
    from ep_core.models import Classifier

Photographs = Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.", exists=True)]
Images = Annotated[
    int | None, typer.Option("--images", "-n", min=1, help="Most photographs taken, drawn with the seed; default: all.")
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for logs and reports; a stopped run goes on from it.")]
Seeds = Annotated[
    str, typer.Option(help="Separated by commas: methods that draw at random run with each, the others once.")
]
S = TypeVar("S", bound=CommonSpec)
DEFAULT_OUT = Path("evaluation")
MOST_ROWS = 30
ALL_METHODS = "Which methods; default: all."
STOPPED = "what is done is kept: the same command goes on from there"


def areas_text(areas: Sequence[float]) -> str:
    """Return areas as an option's value."""
    return ",".join(f"{area:g}" for area in areas)


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


def evaluation(name: str) -> Callable[[Command], Command]:
    """Give a command of `ep evaluate` the options of the spec that it takes, and put a user's mistakes into words."""
    return spec_command(f"evaluate {name}", stopped=STOPPED)


def changed(spec: S, **fields: Any) -> S:
    """Return a spec with other values of some fields, validated."""
    return type(spec).model_validate(spec.model_dump() | fields)


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


def run_on_photographs(
    run: Callable[..., EvaluationReport],
    photographs: Sequence[Path],
    images: int | None,
    spec: SpatialSpec,
    *,
    out: Path,
    models_file: Path | None,
    device: str | None,
    **options: Any,
) -> None:
    """Run an evaluation on photographs behind a progress bar, and write its report.

    Args:
        run: the evaluation: called with the model, the photographs and the spec.
        photographs: files, or folders of them.
        images: the most that are taken, drawn with the spec's seed; None: all.
        spec: parameters of the evaluation; its model is the one that is loaded.
        out: folder for logs and reports.
        models_file: the model list.
        device: of the model.
        options: further arguments of the evaluation.
    """
    paths = photographs_of(photographs, images, spec.seed)
    classifier = loaded(spec.model, models_file, device)
    with watched() as on_progress:
        report = run(classifier, paths, spec, out=out, on_progress=on_progress, **options)
    conclude(report, out)


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
