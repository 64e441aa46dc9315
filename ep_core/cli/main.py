"""The command `ep`: explain an image, list the models, measure. The floors above add theirs (`ep.commands`)."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ep_core.models.runtime.heap import keep_freed_memory
from ep_core.models.runtime.threads import spin_briefly
from ep_core.version import __version__

from .bench.commands import bench_app
from .channels import channels
from .class_channels import class_channels
from .classify import classify
from .compare import compare
from .dataset import dataset
from .evaluate.commands import evaluate_app
from .explain import explain
from .models import models

ORDER = ("explain", "dataset", "classify", "compare", "channels", "class-channels", "models", "evaluate", "bench")
"""Commands as `ep --help` lists them; those of other floors come after them."""


class _InOrder(TyperGroup):
    """Group that lists its commands in their order; Typer lists groups of commands first."""

    def list_commands(self, ctx: Any) -> list[str]:
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


app = typer.Typer(
    cls=_InOrder,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Extremal perturbations: which parts of an image a classifier needs to see.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ep {__version__}")
        raise typer.Exit


@app.callback()
def ep(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options of `ep` itself; the text of its help is above."""


app.command()(explain)
app.command()(dataset)
app.command()(classify)
app.command()(compare)
app.command()(channels)
app.command("class-channels")(class_channels)
app.command()(models)
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(bench_app, name="bench")


def _add(group: str, where: typer.Typer) -> None:
    for entry in entry_points(group=group):
        with suppress(ImportError):  # its extra isn't installed
            where.command(entry.name)(entry.load())


def main() -> None:
    """Run `ep`, with the commands that installed floors add."""
    spin_briefly()
    keep_freed_memory()
    asked = sys.argv[1] if sys.argv[1:] else ""
    if asked == "bench":
        _add("ep.bench", bench_app)
    elif asked not in ORDER:  # else others' commands aren't needed, and take time to import
        _add("ep.commands", app)
    app()


if __name__ == "__main__":
    main()
