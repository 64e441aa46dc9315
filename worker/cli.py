"""Command that the worker adds to `ep`: `ep worker`."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    check: Annotated[
        bool, typer.Option("--check", help="Say whether a worker is alive on this host, and exit.")
    ] = False,
) -> None:
    """Run one worker; its settings are EP_... in the environment."""
    from .__main__ import main

    raise typer.Exit(main(["--check"] if check else []))
