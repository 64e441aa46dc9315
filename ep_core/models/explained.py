"""One image, explained: what the results of all tasks on a single image share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from ep_core.pictures.result_folder import Result
from ep_core.schemas.pixels import Coverage
from ep_core.schemas.reports.common import Engine, ModelRef, Scores, TargetRef, Timing
from ep_core.schemas.warnings import ResultWarning

from .frame import Frame


@dataclass(frozen=True, kw_only=True)
class ExplainedImage(Result):
    """The network, the class and the image that are explained, and how it went."""

    model: ModelRef
    target: TargetRef
    image: Image.Image
    """The original image, RGB."""
    frame: Frame
    """Where the network's frame lies on the image."""
    scores: Scores
    timing: Timing
    engine: Engine
    warnings: tuple[ResultWarning, ...] = ()
    """Reasons why the answer is less than it seems."""

    @property
    def coverage(self) -> Coverage:
        """Shares of the image and of the frame that the network sees of the image."""
        return Coverage.of(self.frame.image_size, self.frame.box)

    def shared_fields(self) -> dict[str, Any]:
        """Return the fields that the reports of such results share."""
        return {
            "model": self.model,
            "target": self.target,
            "scores": self.scores,
            "image_size": self.frame.image_size,
            "frame_box": self.frame.box,
            "warnings": list(self.warnings),
            "timing": self.timing,
            "engine": self.engine,
        }
