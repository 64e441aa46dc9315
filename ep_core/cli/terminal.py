"""Terminal, common options and errors in words, for all commands of `ep`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
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
from ep_core.schemas.specs.extremal import Percentage
from ep_core.schemas.wording import in_words, without_echoes

if TYPE_CHECKING:
    from ep_core.models import Classifier
    from ep_core.pictures.result_folder import Result
    from ep_core.schemas.progress import OnProgress
    from ep_core.schemas.reports.report import TaskReport


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

AsJson = Annotated[
    bool,
    typer.Option("--json", help="The report as JSON on standard output, and nothing else there."),
]
Photograph = Annotated[Path, typer.Argument(help="The photograph.", metavar="IMAGE", exists=True, dir_okay=False)]
Images = Annotated[
    list[str],
    typer.Argument(metavar="IMAGE", help="Image files, folders of them, or patterns such as 'more/*.jpg'."),
]
NOTHING_WRITTEN = "nothing was written"
FAILED = 1
"""Exit status where some of several images have no answer."""


def print_json(document: Any) -> None:
    """Print a document on standard output, as JSON of ASCII: what a terminal would obey is escaped."""
    typer.echo(json.dumps(document, indent=2, allow_nan=False))


def words_console(as_json: bool) -> Console:
    """Return where words go: beside a document on standard output, to standard error."""
    return err_console if as_json else out_console


def listed(text: str) -> list[str]:
    """Return the parts of an option that lists something with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def progress_bars(*, window_s: float = 30.0) -> Progress:
    """Return progress bars on standard error, gone when done; the time to go follows from the last `window_s`."""
    columns = (_Doing(), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err_console, transient=True, speed_estimate_period=window_s)


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


def deliver(result: Result, folder: Path, *, as_json: bool) -> Console:
    """Write a result into a folder, show its warnings, print its report where it is wanted as JSON.

    Returns:
        Where the words on the result go.
    """
    result.save(folder)
    return tell(result.report(), as_json=as_json)


def tell(report: TaskReport, *, as_json: bool) -> Console:
    """Show a report's warnings, and print it where it is wanted as JSON; return where the words on the result go."""
    for warning in report.warnings:
        warn(warning.detail)
    if as_json:
        print_json(report.model_dump(mode="json"))
    return words_console(as_json)


@contextmanager
def errors_in_words(command: str, *, stopped: str = NOTHING_WRITTEN) -> Iterator[None]:
    """Turn what a user can mend into a line on standard error and exit code 2.

    Args:
        command: its name.
        stopped: what to say when the user stops it, unless the `KeyboardInterrupt` has a text of its own.
    """
    try:
        yield
    except ValidationError as error:
        _fail(command, *(f"{_option(one)}: {_words(one)}" for one in without_echoes(error.errors())))
    except (InvalidInput, ModelUnavailable, OSError) as error:
        _fail(command, str(error))
    except KeyboardInterrupt as error:
        said = error.args[0] if error.args else stopped
        err_console.print(f"ep {command}: stopped; {said}", highlight=False, soft_wrap=True)
        raise typer.Exit(130) from None


def warn(text: str) -> None:
    """Show a warning on standard error."""
    err_console.print(f"Warning: {text}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def say_failure(command: str, file: str, error: Exception) -> None:
    """Say on standard error why one of several images has no answer."""
    err_console.print(f"ep {command}: {file}: {error}", style="red", highlight=False, markup=False, soft_wrap=True)


def _words(error: Mapping[str, Any]) -> str:
    """Return what is wrong with an option; of a percentage without its sign, how it can be written here, too."""
    cause = error.get("ctx", {}).get("error")
    return f"{in_words(error)}, or {cause.given:g}%" if isinstance(cause, Percentage) else in_words(error)


def _option(error: Any) -> str:
    """Return the option that a validation error is about; what else a place holds are pydantic's own names."""
    return f"--{str(error['loc'][0]).replace('_', '-')}" if error["loc"] else "options"


def _fail(command: str, *lines: str) -> None:
    for line in lines:
        err_console.print(f"ep {command}: {line}", style="red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(2)
