"""Output tensors of the v2 protocol: what a sweep has found, as arrays."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.reports.file_names import mask_name
from service.http.links import Links
from service.jobs.links import linked
from service.jobs.service import JobService
from service.uploads.limits import invalid
from worker.broker.contract import JobRecord

from .schemas import TensorMetadata
from .tensors import BYTES

Values = np.ndarray | list[str]
MOST_NUMBERS = 8_000_000
"""Of all masks: as JSON, numbers take twelve times as much memory while they are written."""


@dataclass(frozen=True)
class Found:
    """The result of a sweep, and where its files are."""

    job: JobRecord
    report: ExtremalReport
    jobs: JobService
    links: Links

    def points(self, name: Literal["area", "preserve", "delete"]) -> np.ndarray:
        """Return a value of each point of the curve."""
        return np.array([getattr(point, name) for point in self.report.curve])

    def masks(self, frame: Literal["image", "model"]) -> np.ndarray:
        """Return the masks of all areas, A x H x W.

        Raises:
            InvalidFields: they are more numbers than are sent.
            NotFound: they were removed meanwhile.
        """
        size = self.report.image if frame == "image" else self.report.model.resolution
        count = len(self.report.curve) * size.width * size.height
        if count > MOST_NUMBERS:
            raise invalid(
                "outputs",
                f"the masks would be {count} numbers, and {MOST_NUMBERS} are sent at most: ask for fewer areas, or "
                f"fetch the files that {self.links.job(self.job.id)} links to",
            )
        names = [mask_name(point.area, frame=frame) for point in self.report.curve]
        return np.stack([np.asarray(Image.open(io.BytesIO(self.jobs.artifact(self.job.id, name)))) for name in names])

    def optimal_area(self) -> np.ndarray:
        """Return a*, or nothing where no area suffices."""
        found = self.report.optimal_area
        return np.array([] if found is None else [found], dtype=float)

    def document(self) -> list[str]:
        """Return the whole result as JSON."""
        return [linked(self.report, self.job.id, self.links, files=self.job.files).model_dump_json()]


@dataclass(frozen=True)
class Output:
    """An output tensor: its kind, its shape for a model (-1: any size), and its values for a result."""

    datatype: str
    shape: Callable[[ModelCard], list[int]]
    values: Callable[[Found], Values]
    is_default: bool = True
    """Whether it is returned where the request names no outputs."""


def _any_count(_: ModelCard) -> list[int]:
    return [-1]


OUTPUTS = {
    "masks": Output("UINT8", lambda card: [-1, *card.input_size], lambda found: found.masks("model")),
    "areas": Output("FP32", _any_count, lambda found: found.points("area")),
    "preserve": Output("FP32", _any_count, lambda found: found.points("preserve")),
    "delete": Output("FP32", _any_count, lambda found: found.points("delete")),
    "optimal_area": Output("FP32", _any_count, Found.optimal_area),
    "result": Output(BYTES, lambda _: [1], Found.document),
    "masks_on_image": Output("UINT8", lambda _: [-1, -1, -1], lambda found: found.masks("image"), is_default=False),
}
"""By name, in the order in which they are returned. Of 8-bit masks, 255 is kept."""
DEFAULT = tuple(name for name, one in OUTPUTS.items() if one.is_default)


def described(card: ModelCard) -> list[TensorMetadata]:
    """Return what the protocol says of a model's outputs."""
    return [TensorMetadata(name=name, datatype=one.datatype, shape=one.shape(card)) for name, one in OUTPUTS.items()]


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of outputs; raises `InvalidFields` where there is no such one."""
    for name in names:
        if name not in OUTPUTS:
            raise invalid("outputs", f"there is no {name[:50]!r}: the outputs are {', '.join(OUTPUTS)}")
    return tuple(names) or DEFAULT
