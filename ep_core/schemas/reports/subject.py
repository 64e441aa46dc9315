"""Subject of a run that is still going on: what is explained, before there is a report. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, computed_field

from ep_core.schemas.pixels import Coverage, PixelBox, PixelSize

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

    @computed_field  # type: ignore[prop-decorator]
    @property
    def coverage(self) -> Coverage:
        """Shares of the image and of the frame that the network sees of the image."""
        edges = (self.frame.left, self.frame.top, self.frame.right, self.frame.bottom)
        return Coverage.of((self.image.height, self.image.width), edges)
