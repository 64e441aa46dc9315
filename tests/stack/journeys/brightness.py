"""A fifth task: how bright an image is. `test_new_task` puts this file beside the others, and a line into the table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from PIL import Image, ImageStat
from pydantic import BaseModel, Field

from ep_core.schemas.reports.common import Engine, ModelRef, TargetRef, Timing
from ep_core.schemas.reports.report import TaskReport
from ep_core.schemas.specs import CommonSpec
from ep_core.schemas.tasks.task import Artifact, Outcome, Task
from ep_core.schemas.warnings import Warnings


class BrightnessSpec(CommonSpec):
    """Spec of a task that measures the brightness of an image."""

    task: Literal["brightness"] = "brightness"
    scale: Annotated[float, Field(gt=0, description="What white counts.")] = 1.0


class BrightnessReport(TaskReport, BaseModel):
    """The brightness of an image."""

    task: Literal["brightness"] = "brightness"
    params: BrightnessSpec
    model: ModelRef
    target: TargetRef
    brightness: float
    warnings: Warnings = []
    timing: Timing
    engine: Engine


GREY = Artifact(
    pattern="grey.png",
    operation="get_grey",
    summary="Grey picture",
    description="Return the image in grey.",
    content="8-bit grey.",
    key="grey",
    link="The image in grey.",
)


def run(model: Any, images: Sequence[Image.Image], spec: BrightnessSpec, **_how: Any) -> Outcome:
    """Measure the only image."""
    (image,) = images
    grey = image.convert("L")
    report = BrightnessReport(
        params=spec,
        model=ModelRef(name=model.name, weights_digest=model.weights_digest, input_size=(224, 224)),
        target=TargetRef(index=0, label=model.labels[0]),
        brightness=spec.scale * ImageStat.Stat(grey).mean[0] / 255,
        timing=Timing(run_s=0.0, iterations=0),
        engine=Engine(version="0", torch="none", device="cpu"),
    )
    picture = io.BytesIO()
    grey.save(picture, "PNG")
    return Outcome(report, iter([(GREY.pattern, picture.getvalue())]))


TASK = Task(
    name="brightness",
    spec=BrightnessSpec,
    report=BrightnessReport,
    run="ep_core.schemas.tasks.brightness:run",
    title="Brightness",
    question="How bright is it?",
    artifacts=(GREY,),
    picture="grey",
)
