"""`ep models --check-all`: architectures of the libraries, each tried by every task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from .terminal import out_console, print_json, progress_bars

if TYPE_CHECKING:
    from ep_core.bench.architectures.check import Checked


def check_all(names: Sequence[str] | None, *, device: str | None, as_json: bool, as_markdown: bool) -> None:
    """Try architectures, and print what came of it: a table, or JSON, or a table for the documentation.

    Args:
        names: those whose name or source is one of these; None or empty tries all.
        device: where they are tried; by default the GPU, if there is one.
        as_json, as_markdown: instead of the table.

    Raises:
        InvalidInput: there is no such device, or no such architecture.
        typer.Exit: with code 1, at the end, where one ended in an internal error.
    """
    from ep_core.bench.architectures.report import as_object, count_errors, markdown, summary

    checked = _tried(names, device)
    if as_json:
        print_json({"architectures": [as_object(one) for one in checked], "summary": summary(checked)})
    elif as_markdown:
        typer.echo(markdown(checked))
    else:
        _show(checked)
        out_console.print(summary(checked), highlight=False, soft_wrap=True)
    if count_errors(checked):
        raise typer.Exit(1)


def _tried(names: Sequence[str] | None, device: str | None) -> list[Checked]:
    """Return the trials; a bar shows the architecture that is at work."""
    from ep_core.bench.architectures.run import check_all as run

    with progress_bars() as bars:
        task = bars.add_task("architectures", total=None)

        def show(name: str, done: int, count: int) -> None:
            bars.update(task, description=name, completed=done, total=count)

        return run(names or (), device=device, on_row=show)


def _show(checked: Sequence[Checked]) -> None:
    from ep_core.bench.architectures.check import TASKS
    from ep_core.bench.architectures.report import words

    table = Table("architecture", "source", *TASKS, box=None, header_style="bold")
    for one in checked:
        table.add_row(one.name, one.source, *(words(one.verdicts[task]) for task in TASKS))
    out_console.print(table)
