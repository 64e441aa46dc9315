"""Files of the tasks on a layer's channels."""

from __future__ import annotations

from .task import Artifact, FileName

INVERSION = Artifact(
    pattern="inversions/{name}.png",
    operation="get_inversion",
    summary="Inversion",
    description="Return an inversion (eq. 12) of a job on channels that was asked to invert.",
    content="An image that excites the layer, or one of its channels.",
    key="inversions",
    link="Of `channels` with `invert`: `full`, `masked`, `comparison`.",
    name=FileName(
        parameter="name",
        description="`full`, `masked` or `comparison` (task `channels`), or a channel's index (`class_channels`).",
        example="comparison",
        of="inversion",
        listed="inversions",
        pattern="^[a-z0-9]{1,16}$",
    ),
    absent="has no inversions",
)
