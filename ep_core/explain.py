"""Any task, run from its spec: the one place that knows which function answers which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from ep_core.channels.attribution import explain_channels
from ep_core.channels.class_channels import class_channels
from ep_core.channels.render import render_channels, render_class
from ep_core.compare.render import render_comparison
from ep_core.compare.run import compare
from ep_core.extremal.render import render_files
from ep_core.extremal.sweep import explain
from ep_core.models.classifier import Classifier
from ep_core.optimiser.progress import OnProgress
from ep_core.schemas.finite import require_finite_report
from ep_core.schemas.reports.any import Report
from ep_core.schemas.specs import ChannelsSpec, ClassChannelsSpec, CompareSpec, Spec


@dataclass(frozen=True)
class Outcome:
    """What a task gives."""

    report: Report
    files: Iterator[tuple[str, bytes]]
    """All files of the result but the report, as (name, bytes), made as they are asked for."""


def run_task(
    model: Classifier,
    images: Sequence[Image.Image],
    spec: Spec,
    *,
    names: Sequence[str] | None = None,
    on_progress: OnProgress | None = None,
    max_lanes: int | None = None,
) -> Outcome:
    """Run a task; raises what the function that answers it raises, and `NotFinite` where a number of its report isn't.

    Args:
        model: the classifier.
        images: as many as the task takes; only `class_channels` takes several.
        spec: the task.
        names: of the images, for the report.
        on_progress: called after every round of steps.
        max_lanes: masks stepped in one batch, at most.
    """
    outcome = _run(model, images, spec, names=names, on_progress=on_progress, max_lanes=max_lanes)
    require_finite_report(outcome.report)
    return outcome


def _run(
    model: Classifier,
    images: Sequence[Image.Image],
    spec: Spec,
    *,
    names: Sequence[str] | None,
    on_progress: OnProgress | None,
    max_lanes: int | None,
) -> Outcome:
    if isinstance(spec, ClassChannelsSpec):
        found = class_channels(model, images, spec, names=names, on_progress=on_progress, max_lanes=max_lanes)
        return Outcome(found.report(), render_class(found))
    (image,) = images
    if isinstance(spec, ChannelsSpec):
        channels = explain_channels(model, image, spec, on_progress=on_progress, max_lanes=max_lanes)
        return Outcome(channels.report(), render_channels(channels))
    if isinstance(spec, CompareSpec):
        comparison = compare(model, image, spec, on_progress=on_progress, max_lanes=max_lanes)
        return Outcome(comparison.report(), render_comparison(comparison))
    explanation = explain(model, image, spec, on_progress=on_progress, max_lanes=max_lanes)
    return Outcome(explanation.report(), render_files(explanation))
