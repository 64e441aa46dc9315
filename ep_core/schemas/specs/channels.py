"""Specs of `task: "channels"` and `task: "class_channels"`: channels inside a network (section 5)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt, field_validator

from .common import MAX_AREAS, CommonSpec, Preset
from .target import Target

PAPER_CHANNELS = 528
PAPER_COUNTS = (1, 5, 10, 20, 25, 35, 40, 50, 60, 70, 80, 90, 100, 150, 200, 250, 300, 350, 400, 450, PAPER_CHANNELS)
"""The paper's sweep, of the 528 channels of GoogLeNet's inception4d."""
MAX_TOP = 16
MAX_IMAGES = 64


def default_counts(channels: int) -> tuple[int, ...]:
    """Return the paper's counts, scaled to a layer of so many channels; the last one is all of them."""
    return tuple(sorted({max(1, round(count * channels / PAPER_CHANNELS)) for count in PAPER_COUNTS}))


class _ChannelSweep(CommonSpec):
    """A sweep of channel masks at a layer."""

    layer: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=200,
            description="A layer that `GET /v1/models/{name}` lists; null takes the one that is listed as the default "
            "for `channels`.",
        ),
    ] = None
    areas: Annotated[
        tuple[Annotated[StrictInt, Field(ge=1)], ...] | None,
        Field(
            min_length=1,
            max_length=MAX_AREAS,
            description="Numbers of channels to keep (or delete), 1 to the layer's K, all different, in any order; "
            "null takes the paper's 21 counts, scaled to K.",
        ),
    ] = None
    preset: Annotated[
        Preset,
        Field(
            description="`paper`: eq. 9 in 300 iterations, inversions by eq. 12, as section 5 says. `fast`: masks of "
            "exactly so many channels, inversions that look more like the image."
        ),
    ] = "fast"
    seed: Annotated[StrictInt, Field(ge=0, lt=2**63, description="Draws where inversions start.")] = 0

    @field_validator("areas")
    @classmethod
    def _distinct_and_sorted(cls, areas: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if areas is None:
            return None
        if len(set(areas)) != len(areas):
            raise ValueError("areas must all be different")
        return tuple(sorted(areas))


class ChannelsSpec(_ChannelSweep):
    """Channel attribution: the channels of a layer that keep one image's score (5 and 5.1)."""

    model_config = ConfigDict(
        json_schema_extra={
            "required": ["task"],
            "examples": [
                {"task": "channels", "layer": "features.13"},
                {"task": "channels", "layer": "features.18", "areas": [10, 50, 100], "invert": True},
            ],
        },
    )

    task: Literal["channels"] = "channels"
    invert: Annotated[
        StrictBool,
        Field(description="Whether to invert the layer, with all channels and with the optimal mask's (eq. 12)."),
    ] = False


class ClassChannelsSpec(_ChannelSweep):
    """Per-class channels: the channels of a layer that a class needs, from several of its images (5.2)."""

    model_config = ConfigDict(
        json_schema_extra={
            "required": ["task"],
            "examples": [{"task": "class_channels", "layer": "features.18", "target": "school bus"}],
        },
    )

    task: Literal["class_channels"] = "class_channels"
    target: Annotated[
        Target,
        Field(
            description="Class index, or label (exact but for case); null explains the class that is the most probable "
            "over all images."
        ),
    ] = None
    top: Annotated[StrictInt, Field(ge=1, le=MAX_TOP, description="How many of the class's channels are shown.")] = 5
    invert: Annotated[StrictBool, Field(description="Whether to invert each of them (5.2).")] = True
