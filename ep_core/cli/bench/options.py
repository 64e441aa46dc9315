"""Options that the commands of `ep bench` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ep_core.cli.from_spec import Fields
from ep_core.cli.terminal import listed
from ep_core.errors import InvalidInput
from ep_core.schemas.specs import ChannelsSpec, ExtremalSpec

Photographs = Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.", exists=True)]
Images = Annotated[int, typer.Option("--images", "-n", min=1, help="Most photographs taken, drawn with the seed.")]
Seed = Annotated[int, typer.Option(help="Draws the photographs.")]
Network = Annotated[ExtremalSpec, Fields("model")]
Sweep = Annotated[ExtremalSpec, Fields("areas", "model")]
Layer = Annotated[ChannelsSpec, Fields("layer", "model")]


def batches(text: str) -> list[int]:
    """Return how many masks the batches have that an option lists.

    Raises:
        InvalidInput: it lists something else.
    """
    try:
        found = [int(part) for part in listed(text)]
    except ValueError:
        found = []
    if not found or min(found) <= 0:
        raise InvalidInput(f"lanes must be positive numbers separated by commas, not {text!r}", field="lanes")
    return found
