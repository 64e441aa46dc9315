"""The task `class_channels`: the channels of a layer that a class needs, over several of its images (5.2)."""

from __future__ import annotations

from collections.abc import Iterator

from ep_core.schemas.reports.channels import EXAMPLES, SHEET, ClassChannel, ClassChannelsReport
from ep_core.schemas.specs import MAX_IMAGES, ClassChannelsSpec

from .channels import TEXT_OF_CHANNEL, TEXT_OF_WEIGHT
from .layer_files import INVERSION
from .task import TEXTS, Artifact, Bulk, FileKind, Files, Place, Task

TEXT_OF_IMAGE, TEXT_OF_EXCITED = 1_024, 64

TOP_CHANNELS = Artifact(
    pattern=SHEET,
    operation="get_sheet",
    summary="Top channels",
    description="Return the top channels of a class in one picture (task `class_channels`).",
    content="A row for each top channel: its inversion, and what excites it most.",
    key="sheet",
    link="The top channels of `class_channels`, in one picture.",
)


def files(spec: ClassChannelsSpec) -> Files:
    """Return the files that a result has; the report names the channels whose inversions there are."""
    inverted: Files = {INVERSION: ()} if spec.invert else {}
    return {TOP_CHANNELS: (), **inverted}


def bulk(spec: ClassChannelsSpec, images: int, channels: int) -> Iterator[Bulk]:
    """Yield what the files of a result take."""
    yield Bulk(FileKind.TILES, size=spec.top * (min(images, EXAMPLES) + spec.invert))
    yield Bulk(FileKind.COLOUR_IN_FRAME, spec.top * spec.invert)
    of_channels = TEXT_OF_WEIGHT * channels + spec.top * (TEXT_OF_CHANNEL + TEXT_OF_EXCITED * images)
    yield Bulk(FileKind.TEXT, size=TEXTS + TEXT_OF_IMAGE * images + of_channels)


def places(report: ClassChannelsReport) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yield the channels that are inverted."""
    for k, one in enumerate(report.channels if report.params.invert else ()):
        yield ("channels", k), {"inversion": INVERSION.file(str(one.channel))}


TASK = Task(
    name="class_channels",
    spec=ClassChannelsSpec,
    report=ClassChannelsReport,
    run="ep_core.engine:run_class_channels",
    title="Class channels",
    question="Which channels does a class need, over several images?",
    tab="Inside",
    python="class_channels",
    images=(1, MAX_IMAGES),
    artifacts=(INVERSION, TOP_CHANNELS),
    layer="masked",
    unit="channels",
    picture="sheet",
    form=("layer", "areas", "top", "invert", "preset", "white_level"),
    files=files,
    bulk=bulk,
    located={ClassChannel: {"inversion": None}},
    places=places,
)
