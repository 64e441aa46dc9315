"""Options that the commands of `ep bench` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ep_core.cli.from_spec import Fields
from ep_core.schemas.specs import ChannelsSpec, ExtremalSpec

Photographs = Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.", exists=True)]
Images = Annotated[int, typer.Option("--images", "-n", min=1, help="Most photographs taken, drawn with the seed.")]
Seed = Annotated[int, typer.Option(help="Draws the photographs.")]
Network = Annotated[ExtremalSpec, Fields("model")]
Sweep = Annotated[ExtremalSpec, Fields("areas", "model")]
Layer = Annotated[ChannelsSpec, Fields("layer", "model")]
