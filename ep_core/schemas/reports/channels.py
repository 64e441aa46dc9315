"""Reports of the tasks on channels, as JSON. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ep_core.schemas.model_card import LayerCard
from ep_core.schemas.pixels import FrameBox, ImageSize, OnImage
from ep_core.schemas.specs import ChannelsSpec, ClassChannelsSpec
from ep_core.schemas.warnings import Warnings

from .common import Engine, ModelRef, Scores, TargetRef, ThresholdRule, Timing
from .report import TaskReport

MASKS = "masks.json"
FULL, MASKED, COMPARISON = "full", "masked", "comparison"
INVERSIONS = (FULL, MASKED, COMPARISON)
SHEET = "channels.png"
EXAMPLES = 4  # images shown of each channel


class ChannelPoint(BaseModel):
    """One count of the sweep."""

    area: Annotated[int, Field(description="Requested number of channels.")]
    measured_area: Annotated[float, Field(description="Sum of the mask over the channels; `fast`: exactly `area`.")]
    preserve: Annotated[float, Field(description="Phi_l+(m x): score when only the mask's channels are kept (eq. 9).")]
    delete: Annotated[float, Field(description="Phi_l+((1-m) x): score when they are removed.")]
    preserve_probability: Annotated[
        float | None,
        Field(description="Probability of the target under m x, by its head; null for a score without one."),
    ]
    delete_probability: Annotated[
        float | None, Field(description="The same under (1-m) x; null also in results from before.")
    ] = None
    binariness: Annotated[float, Field(description="Mean of m(1-m): 0 for a binary mask, at most 0.25.")]


class ChosenChannel(BaseModel):
    """A channel of the optimal mask."""

    channel: Annotated[int, Field(description="Index in the layer, from 0.")]
    first_area: Annotated[int, Field(description="The smallest count of the sweep whose mask holds it.")]
    weight: Annotated[float, Field(description="Its value in the optimal mask.")]
    contribution: Annotated[
        float,
        Field(
            description="Its contribution to the variant's objective, to first order: m_k dV/dm_k at the optimal mask."
        ),
    ]


class ChannelsReport(OnImage, TaskReport, BaseModel):
    """A finished sweep of channel masks (`task: "channels"`)."""

    task: Literal["channels"] = "channels"
    params: Annotated[ChannelsSpec, Field(description="As run, with the defaults filled in.")]
    model: ModelRef
    layer: LayerCard
    target: TargetRef
    scores: Annotated[Scores, Field(description="`perturbed` is the score without any channel of the layer.")]
    curve: Annotated[list[ChannelPoint], Field(description="One point per count, by increasing count.")]
    optimal_area: Annotated[
        int | None,
        Field(description="a* in channels (eq. 10); null where no count reaches the threshold, or there is none."),
    ]
    monotonic: Annotated[bool, Field(description="Whether the score orders as the counts do below a* (eq. 8).")]
    channels: Annotated[
        list[ChosenChannel],
        Field(
            description="The channels of the optimal mask (of the largest, where there is no a*), those first that the "
            "sweep's smallest masks hold."
        ),
    ]
    image_size: ImageSize
    frame_box: FrameBox = None
    warnings: Warnings = []
    timing: Timing
    engine: Engine


class ChannelMasks(BaseModel):
    """The masks of a sweep of channels: what the file `MASKS` holds."""

    layer: Annotated[str, Field(description="The layer's name.")]
    areas: Annotated[list[int], Field(description="Requested numbers of channels, in increasing order.")]
    masks: Annotated[list[list[float]], Field(description="A value in [0, 1] for each channel, for each of `areas`.")]


class ClassImage(BaseModel):
    """One of the images from which a class's channels were found."""

    index: Annotated[int, Field(description="Its place among the images, from 0.")]
    name: Annotated[str, Field(description="The file's name, where it came with one.")]
    original: Annotated[float, Field(description="Phi(x).")]
    probability: Annotated[
        float | None, Field(description="Of the class, by the model's head; null for a score without one.")
    ]
    optimal_area: Annotated[
        int | None,
        Field(description="a* in channels; null: no count reaches the threshold, the image is left out."),
    ]
    threshold_rule: Annotated[
        ThresholdRule | None,
        Field(description="The rule of the image's threshold, as in `scores` of other tasks."),
    ] = None


class Excited(BaseModel):
    """Activation of a channel by an image."""

    image: Annotated[int, Field(description="Its place among the images, from 0.")]
    activation: Annotated[float, Field(description="Mean of the channel over space.")]


class ClassChannel(BaseModel):
    """One of a class's top channels."""

    channel: Annotated[int, Field(description="Index in the layer, from 0.")]
    weight: Annotated[float, Field(description="Mean of its value in the images' optimal masks (5.2), in [0, 1].")]
    images: Annotated[list[Excited], Field(description="The images that excite it most, best first.")]


class ClassChannelsReport(TaskReport, BaseModel):
    """A class's channels (`task: "class_channels"`)."""

    task: Literal["class_channels"] = "class_channels"
    params: Annotated[ClassChannelsSpec, Field(description="As run, with the defaults filled in.")]
    model: ModelRef
    layer: LayerCard
    target: TargetRef
    images: list[ClassImage]
    channels: Annotated[list[ClassChannel], Field(description="The top ones, k* first.")]
    weights: Annotated[list[float], Field(description="The averaged optimal mask of all K channels.")]
    warnings: Warnings = []
    timing: Timing
    engine: Engine


def inversion_name(what: int | str) -> str:
    """Return the file name of an inversion: of a channel, `FULL`, `MASKED`, or both beside the image."""
    return f"inversions/{what}.png"
