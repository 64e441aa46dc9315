"""Commands that this floor adds to `ep`: `ep serve` and `ep api`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address of the API (EP_HOST); default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API (EP_PORT); default 8000.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where jobs are kept (EP_STATE_DIR).")] = None,
    workers: Annotated[int | None, typer.Option(help="Workers on this machine (EP_WORKERS); default 1.")] = None,
    models_file: Annotated[
        Path | None, typer.Option(help="An operator's model list (TOML; EP_MODELS_FILE).", exists=True)
    ] = None,
) -> None:
    """Run everything on this machine: a Redis of its own, the API and one worker."""
    from .stack import serve as serve_all

    raise typer.Exit(serve_all(host=host, port=port, state_dir=state_dir, workers=workers, models_file=models_file))


def api() -> None:
    """Run the API alone; its settings are EP_... in the environment."""
    from service.__main__ import main

    raise typer.Exit(main())
