"""`ep evaluate ...`: the evaluations as commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ep_core.cli.terminal import errors_in_words, out_console

from .mask_commands import curves_command, growth_command, monotonicity_command, smooth_command, stability_command
from .method_commands import extremality_command, faithfulness_command, sanity_command
from .options import DEFAULT_OUT
from .pointing_commands import grid_command, pointing_command

evaluate_app = typer.Typer(
    no_args_is_help=True,
    help="Run the paper's evaluations, and others that attribution is measured by. Each goes on where it was stopped.",
)
evaluate_app.command("pointing")(pointing_command)
evaluate_app.command("grid")(grid_command)
evaluate_app.command("faithfulness")(faithfulness_command)
evaluate_app.command("monotonicity")(monotonicity_command)
evaluate_app.command("extremality")(extremality_command)
evaluate_app.command("stability")(stability_command)
evaluate_app.command("sanity")(sanity_command)
evaluate_app.command("growth")(growth_command)
evaluate_app.command("curves")(curves_command)
evaluate_app.command("smooth")(smooth_command)


@evaluate_app.command("report")
def report_command(
    out: Annotated[Path, typer.Argument(help="Folder of the reports.", exists=True, file_okay=False)] = DEFAULT_OUT,
) -> None:
    """Make one page of all reports of a folder, pictures included."""
    with errors_in_words("evaluate report"):
        from ep_core.evaluation.reporting.html import write_page

        out_console.print(str(write_page(out)), highlight=False, soft_wrap=True)
