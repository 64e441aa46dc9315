"""Terminal, common options and errors in words, for all commands of `ep`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TimeRemainingColumn
from rich.text import Text

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.schemas.printable import printable
from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.wording import in_words, without_echoes

if TYPE_CHECKING:
    from ep_core.models import Classifier
    from ep_core.schemas.progress import OnProgress
    from ep_core.schemas.tasks import Report


class _Terminal(Console):
    """A terminal that shows the control characters of a text, such as a label or a file's name, and obeys none."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text, keep="\n\t"), **options)


class _Doing(ProgressColumn):
    """Label of a progress bar, escaped: bars don't ask the terminal how a text is shown."""

    def render(self, task: Task) -> Text:
        return Text(printable(task.description))


out_console = _Terminal()
err_console = _Terminal(stderr=True)

ModelsFile = Annotated[
    Path | None, typer.Option(help="An operator's model list (TOML).", envvar="EP_MODELS_FILE", exists=True)
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; by default the GPU where there is one.")]

Photograph = Annotated[Path, typer.Argument(help="The photograph.", metavar="IMAGE", exists=True, dir_okay=False)]
NOTHING_WRITTEN = "nothing was written"


def listed(text: str) -> list[str]:
    """Return the parts of an option that lists something with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def progress_bars() -> Progress:
    """Return progress bars on standard error, gone when done."""
    columns = (_Doing(), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err_console, transient=True)


@contextmanager
def model_at_work(
    name: str, doing: str, *, models_file: Path | None, device: str | None
) -> Iterator[tuple[Classifier, OnProgress]]:
    """Load a model behind a progress bar, and give it with what moves the bar on.

    Args:
        name: the model's.
        doing: what is done with it, for the bar.
        models_file: the operator's model list.
        device: where the model lives.
    """
    with progress_bars() as bars:
        task = bars.add_task(f"loading {name}", total=None)
        from ep_core.models import load_model

        model = load_model(name, models_file=models_file, device=device)
        bars.update(task, description=doing)
        yield model, lambda progress: bars.update(task, completed=progress.iteration, total=progress.total)


def check_writable(folder: Path) -> None:
    """Complain before the work, not after it."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise InvalidInput(f"can't write to {folder}: {existing} is not a folder that you may write to", field="out")


def write_result(out: Path, files: Iterable[tuple[str, bytes]], report: Report) -> None:
    """Write the files of a result and its report into a folder, and show the report's warnings."""
    for name, data in files:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (out / RESULT).write_text(report.model_dump_json(indent=2) + "\n")
    for warning in report.warnings:
        err_console.print(f"Warning: {warning.detail}", style="yellow", highlight=False, markup=False, soft_wrap=True)


@contextmanager
def errors_in_words(command: str, *, stopped: str = NOTHING_WRITTEN) -> Iterator[None]:
    """Turn what a user can mend into a line on standard error and exit code 2.

    Args:
        command: its name.
        stopped: what to say when the user stops it.
    """
    try:
        yield
    except ValidationError as error:
        _fail(command, *(f"{_option(one)}: {in_words(one)}" for one in without_echoes(error.errors())))
    except (InvalidInput, ModelUnavailable, OSError) as error:
        _fail(command, str(error))
    except KeyboardInterrupt:
        err_console.print(f"ep {command}: stopped; {stopped}", highlight=False)
        raise typer.Exit(130) from None


def _option(error: Any) -> str:
    """Return the option that a validation error is about; what else a place holds are pydantic's own names."""
    return f"--{str(error['loc'][0]).replace('_', '-')}" if error["loc"] else "options"


def _fail(command: str, *lines: str) -> None:
    for line in lines:
        err_console.print(f"ep {command}: {line}", style="red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(2)
