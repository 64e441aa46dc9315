"""`ep bench`: the command group, and the options that its commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ep_core.errors import InvalidInput
from ep_core.schemas.specs import DEFAULT_AREAS

bench_app = typer.Typer(no_args_is_help=True, help="Measure how fast and how good the engine is here.")

Photographs = Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.", exists=True)]
Images = Annotated[int, typer.Option("--images", "-n", min=1, help="Most photographs taken, drawn with the seed.")]
Seed = Annotated[int, typer.Option(help="Draws the photographs.")]
Areas = Annotated[str, typer.Option(help="Shares of the image, separated by commas.")]
N = TypeVar("N", int, float)
DEFAULT = ",".join(map(str, DEFAULT_AREAS))


def numbers(text: str, name: str, kind: Callable[[str], N]) -> list[N]:
    """Return the numbers of an option's value."""
    try:
        numbers = [kind(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) <= 0:
        raise InvalidInput(f"{name} must be positive numbers separated by commas, not {text!r}", field=name)
    return numbers
