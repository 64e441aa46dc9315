"""`ep models`: the models of a list, their layers and weights, and whether they can be loaded and explained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ep_core.errors import InvalidInput, ModelUnavailable

from .check_all import check_all as try_all
from .completion import model_names
from .terminal import Device, ModelsFile, errors_in_words, out_console, print_json

if TYPE_CHECKING:
    from ep_core.schemas.model_card import ModelCard


def models(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="The models to --check, or architectures or sources to --check-all; default: all.",
            autocompletion=model_names,
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Load each model and try its gradient, in a line each; exit code 1: one fails."),
    ] = False,
    check_all: Annotated[
        bool,
        typer.Option(
            "--check-all",
            help="Try architectures of all libraries by every task, most with random weights; exit code 1: an internal "
            "error.",
        ),
    ] = False,
    models_file: ModelsFile = None,
    device: Device = None,
    fetch: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Fetch a torchvision model's weights and check their hash.",
            autocompletion=model_names,
        ),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="List the layers of a model that have channels.", autocompletion=model_names),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON on standard output.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="What --check-all finds, as a table for the documentation.")
    ] = False,
) -> None:
    """List what can be explained here."""
    with errors_in_words("models"):
        if check and (fetch or layers):
            raise InvalidInput("--check goes without --fetch and --layers: ask one thing at a time", field="check")
        if check_all and (check or fetch or layers):
            raise InvalidInput("--check-all goes without --check, --fetch and --layers", field="check_all")
        if as_markdown and (not check_all or as_json):
            raise InvalidInput("--markdown goes with --check-all, and without --json", field="markdown")
        if check_all:
            try_all(names, device=device, as_json=as_json, as_markdown=as_markdown)
        elif check:
            _check_models(names, models_file=models_file, device=device, as_json=as_json)
        elif names:
            raise InvalidInput("names of models go with --check; --fetch and --layers take one each", field="names")
        elif fetch is not None:
            _fetch(fetch, as_json=as_json)
        elif layers is not None:
            _list_layers(layers, models_file, as_json=as_json)
        else:
            _list_models(models_file, as_json=as_json)


def _fetch(name: str, *, as_json: bool) -> None:
    from ep_core.models.sources.weights import fetch

    path = fetch(name)
    if as_json:
        print_json({"name": name, "file": str(path)})
    else:
        out_console.print(f"{name}: {path}", highlight=False, soft_wrap=True)


def _list_models(models_file: Path | None, *, as_json: bool) -> None:
    from ep_core.models import list_models

    cards = list_models(models_file)
    if as_json:
        print_json([_as_object(card) for card in cards])
        return
    table = Table("model", "input", "classes", "weights", box=None, header_style="bold")
    for card in cards:
        height, width = card.input_size
        classes = str(len(card.labels)) if card.labels else card.outputs
        table.add_row(card.name, f"{height} x {width}", classes, card.weights or card.source)
    out_console.print(table)
    for card in cards:
        for warning in card.warnings:
            out_console.print(f"warning: {card.name}: {warning.detail}", highlight=False, markup=False, soft_wrap=True)


def _as_object(card: ModelCard) -> dict[str, Any]:
    """Return a model's card for JSON, with the number of its classes instead of their labels."""
    return card.model_dump(mode="json", exclude={"labels", "layers", "perturbations"}) | {"classes": len(card.labels)}


def _list_layers(name: str, models_file: Path | None, *, as_json: bool) -> None:
    from ep_core.models import load_model

    layers = load_model(name, models_file=models_file).layers
    if as_json:
        print_json([layer.model_dump(mode="json") for layer in layers])
        return
    table = Table("layer", "type", "channels", "map", "default for", box=None, header_style="bold")
    for layer in layers:
        size, uses = f"{layer.height} x {layer.width}", ", ".join(layer.default_for or ())
        table.add_row(layer.name, layer.type, str(layer.channels), size, uses)
    out_console.print(table)


def _check_models(names: Sequence[str] | None, *, models_file: Path | None, device: str | None, as_json: bool) -> None:
    """Print a line for each model: ok, or why it can't be used.

    Args:
        names: the models; None or empty takes all of the list.
        models_file: the operator's model list.
        device: where they are tried; by default the GPU, if there is one.
        as_json: whether to print one list at the end instead; `fault` is null where a model can be used.

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
    faults: dict[str, str | None] = {}
    for name in listed:
        faults[name] = _fault(name, models_file, device)
        if not as_json:
            out_console.print(f"{name}: {faults[name] or 'ok'}", highlight=False, markup=False, soft_wrap=True)
    if as_json:
        print_json([{"name": name, "fault": fault} for name, fault in faults.items()])
    if any(fault is not None for fault in faults.values()):
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
