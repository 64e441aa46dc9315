"""Completion of values in a shell."""

from __future__ import annotations

from pathlib import Path

import typer

from ep_core.errors import InvalidInput


def model_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the models' names that begin with a text.

    Those of a model list (`--models-file`, or EP_MODELS_FILE) are read at once. Without one they are torchvision's,
    which takes the seconds that torch takes to import.
    """
    models_file = ctx.params.get("models_file")
    return [name for name in _names(models_file) if name.startswith(incomplete)]


def _names(models_file: Path | None) -> tuple[str, ...]:
    if models_file is None:
        from ep_core.models.sources.torchvision_zoo import network_names

        return network_names()
    from ep_core.models.sources.model_list import read_model_list

    try:
        return tuple(read_model_list(models_file))
    except InvalidInput:  # a shell has no place for a message
        return ()
