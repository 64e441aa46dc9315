"""Subject of a run that is still going on: what is explained, before there is a report. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from ep_core.schemas.pixels import PixelBox, PixelSize

from .common import Scores, TargetRef


class Subject(BaseModel):
    """Subject of a run, known before its first mask."""

    target: TargetRef
    scores: Scores
    image: Annotated[PixelSize, Field(description="Size of the image as a person sees it.")]
    frame: Annotated[
        PixelBox, Field(description="Position of the network's input on the image: partly outside where it was padded.")
    ]
    resolution: Annotated[PixelSize, Field(description="Size of the network's input, its frame.")]
