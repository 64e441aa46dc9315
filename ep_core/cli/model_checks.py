"""The command `ep models --check`: whether the models of a list can be loaded and explained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from ep_core.errors import InvalidInput, ModelUnavailable

from .terminal import out_console


def check_models(names: Sequence[str] | None, *, models_file: Path | None, device: str | None) -> None:
    """Print a line for each model: ok, or why it can't be used.

    Args:
        names: the models; None or empty takes all of the list.
        models_file: the operator's model list.
        device: where they are tried; by default the GPU, if there is one.

    Raises:
        InvalidInput: no names and no list: torchvision's models would all be fetched.
        typer.Exit: with code 1, at the end, where a model can't be used.
    """
    from ep_core.models.runtime.device import pick_device
    from ep_core.models.sources.model_list import read_model_list

    listed = names or (read_model_list(models_file) if models_file else ())
    if not listed:
        raise InvalidInput("name the models to check, or give a model list (--models-file)", field="names")
    pick_device(device)
    faults = 0
    for name in listed:
        fault = _fault(name, models_file, device)
        faults += fault is not None
        out_console.print(f"{name}: {fault or 'ok'}", highlight=False, markup=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)


def _fault(name: str, models_file: Path | None, device: str | None) -> str | None:
    """Return why a model can't be used, in a line; None where it can."""
    from ep_core.models import load_model

    try:
        load_model(name, models_file=models_file, device=device)
    except Exception as error:  # the next models are to be checked all the same
        kind = "" if isinstance(error, InvalidInput | ModelUnavailable) else f"{type(error).__name__}: "
        return " ".join(f"{kind}{error}".split())
    return None
