"""The task `channels`: masks over the channels of a layer (section 5)."""

from __future__ import annotations

from collections.abc import Iterator

from ep_core.schemas.reports.channels import INVERSIONS, MASKS, ChannelMasks, ChannelsReport
from ep_core.schemas.specs import ChannelsSpec, default_counts
from ep_core.schemas.specs.channels import PAPER_CHANNELS

from .extremal import TEXT_OF_AREA
from .layer_files import INVERSION
from .pictures import SALIENCY_MAP, SCORE_CURVE
from .task import TEXTS, Artifact, Bulk, FileKind, Files, Place, Task

TEXT_OF_CHANNEL, TEXT_OF_WEIGHT = 256, 24

CHANNEL_MASKS = Artifact(
    pattern=MASKS,
    media_type="application/json",
    operation="get_channel_masks",
    summary="Channel masks",
    description="Return the masks of a job of the task `channels`: a value in [0, 1] per channel, for each count.",
    content="`masks`: K values for each of `areas`.",
    key="channel_masks",
    link="The channel masks of `channels`, as JSON.",
    document=ChannelMasks,
)


def files(spec: ChannelsSpec) -> Files:
    """Return the files that the result of a sweep has."""
    inverted: Files = {INVERSION: INVERSIONS} if spec.invert else {}
    return {SALIENCY_MAP: (), SCORE_CURVE: (), CHANNEL_MASKS: (), **inverted}


def bulk(spec: ChannelsSpec, _images: int, channels: int) -> Iterator[Bulk]:
    """Yield what the files of a sweep take."""
    counts = len(spec.areas or default_counts(PAPER_CHANNELS))
    yield Bulk(FileKind.COLOUR)
    yield Bulk(FileKind.TEXT, size=TEXTS + TEXT_OF_AREA * counts + TEXT_OF_CHANNEL * channels)
    yield Bulk(FileKind.TEXT, size=TEXT_OF_WEIGHT * channels * counts)
    if spec.invert:
        yield Bulk(FileKind.COLOUR_IN_FRAME, 2)
        yield Bulk(FileKind.TILES, size=3)


def places(report: ChannelsReport) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yield the inversions, which are of the whole report."""
    if report.params.invert:
        yield ("artifacts",), {f"inversion_{name}": INVERSION.file(name) for name in INVERSIONS}


TASK = Task(
    name="channels",
    spec=ChannelsSpec,
    report=ChannelsReport,
    run="ep_core.engine:run_channels",
    title="Channels",
    question="Which channels of a layer does the class need?",
    tab="Inside",
    python="explain_channels",
    artifacts=(INVERSION, CHANNEL_MASKS, SALIENCY_MAP, SCORE_CURVE),
    layer="masked",
    unit="channels",
    picture="saliency",
    form=("layer", "areas", "variant", "invert", "preset", "white_level"),
    files=files,
    bulk=bulk,
    places=places,
)
