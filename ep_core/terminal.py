"""What all commands of `ep` share: the terminal, common options, and errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from .errors import InvalidInput, ModelUnavailable

out_console = Console()
err_console = Console(stderr=True)

ModelName = Annotated[str, typer.Option("--model", "-m", help="Model name; `ep models` lists them.")]
ModelsFile = Annotated[
    Path | None, typer.Option(help="An operator's model list (TOML).", envvar="EP_MODELS_FILE", exists=True)
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; by default the GPU where there is one.")]


@contextmanager
def errors_in_words(command: str) -> Iterator[None]:
    """Turn what a user can mend into a line on standard error and exit code 2."""
    try:
        yield
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, _option(e))) or 'options'}: {e['msg']}" for e in error.errors()]
        _fail(command, *lines)
    except (InvalidInput, ModelUnavailable, OSError) as error:
        _fail(command, str(error))
    except KeyboardInterrupt:
        err_console.print(f"ep {command}: stopped; nothing was written", highlight=False)
        raise typer.Exit(130) from None


def _option(error: Any) -> tuple[str | int, ...]:
    """Return a validation error's place, without pydantic's names for the members of a union."""
    return tuple(part for part in error["loc"] if isinstance(part, int) or "[" not in part)


def _fail(command: str, *lines: str) -> None:
    for line in lines:
        err_console.print(f"ep {command}: {line}", style="red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(2)
