"""Monotonicity of visual evidence (4.3): how often a larger area scores no less, below the optimal area (eq. 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean

from ep_core.engine import explain_batch
from ep_core.evaluation.data.items import Subject, settings_of, subjects
from ep_core.evaluation.reporting.report import Cell, EvaluationReport, Table
from ep_core.extremal.explanation import Explanation
from ep_core.models.classifier import Classifier
from ep_core.models.inputs import engine_on, model_ref
from ep_core.models.runtime.batching import max_lanes_on
from ep_core.schemas.specs import ExtremalSpec, Preset

from .run import ItemLog, OnRunProgress, Record, measure_groups, unwatched

BENCHMARK = "monotonicity"
IN_THE_PAPER = 98.45
"""Per cent of the ImageNet validation images, with VGG16 (4.3)."""


def monotonicity(
    model: Classifier,
    photographs: Sequence[Path],
    spec: ExtremalSpec,
    presets: Sequence[Preset],
    *,
    out: Path,
    on_progress: OnRunProgress = unwatched,
) -> EvaluationReport:
    """Measure for which share of photographs eq. 8 holds below a*, for the top class of each.

    Args:
        model: the classifier.
        photographs: files, explained many at once.
        spec: the sweep; its preset is ignored.
        presets: which ones to measure.
        out: folder of the reports; logs go into its folder ``monotonicity``, one a preset.
        on_progress: called with the share that is done.

    Raises:
        InvalidInput: a log in `out` is of a run with other settings.
    """
    found = subjects(photographs)
    rows: list[list[Cell]] = []
    seconds = 0.0
    for k, preset in enumerate(presets):

        def tell(share: float, what: str, k: int = k) -> None:
            on_progress((k + share) / len(presets), what)

        records = _records(model, found, _with_preset(spec, preset), out, tell)
        rows.append([preset, *_row(records)])
        seconds += sum(record["seconds"] for record in records)
    rows.append(["paper, VGG16", None, IN_THE_PAPER, *[None] * (len(COLUMNS) - 3)])
    settings = settings_of(model, spec) | {"seed": spec.seed, "presets": list(presets)}
    del settings["preset"]
    return EvaluationReport(
        benchmark=BENCHMARK,
        title="Monotonicity of visual evidence",
        about="Share of photographs for whose top class eq. 8 holds: of any two areas below the optimal area a*, the "
        "larger scores no less (4.3).",
        settings=settings,
        model=model_ref(model),
        engine=engine_on(model.device),
        items=len(found),
        seconds=seconds,
        tables=[Table(title="Eq. 8 below a*", columns=list(COLUMNS), rows=rows, note=NOTE, decimals=2)],
    )


COLUMNS = (
    "Preset",
    "Images",
    "Holds (%)",
    "Two below a*",
    "Holds there (%)",
    "Steps up (%)",
    "a* reached",
    "Mean a*",
)
NOTE = (
    "Share of images for which eq. 8 holds. With fewer than two areas below a* there is nothing to compare, and it "
    "holds trivially: 'Two below a*' counts the other images, to which 'Holds there' is restricted. 'Steps up' is the "
    "share of all steps from an area to the next, below a*, at which the score doesn't fall. Where no area reaches "
    "Phi_0 there is no a*, and all areas are compared. The last row is the paper's, of ImageNet's validation images."
)


def _with_preset(spec: ExtremalSpec, preset: Preset) -> ExtremalSpec:
    return ExtremalSpec.model_validate(spec.model_dump() | {"preset": preset}).masks_only()


def _records(
    model: Classifier, found: Sequence[Subject], spec: ExtremalSpec, out: Path, on_progress: OnRunProgress
) -> list[Record]:
    def work(group: Sequence[Subject], share: Callable[[float], None]) -> list[Record]:
        inputs = [subject.network_input(model, spec.fit) for subject in group]
        explained = explain_batch(
            model, inputs, spec, on_progress=lambda progress: share(progress.iteration / progress.total)
        )
        return [_record(one) for one in explained]

    log = ItemLog(out / BENCHMARK / f"{spec.preset}-{spec.seed}.jsonl", settings_of(model, spec))
    size = max(1, 2 * max_lanes_on(model.device) // len(spec.areas))  # as many as are stepped together
    done = measure_groups(found, lambda subject: subject.key, work, log, size=size, on_progress=on_progress)
    return [record for _, record in done]


def _record(one: Explanation) -> Record:
    return {
        "label": one.target.label,
        "scores": [[point.area, point.preserve] for point in one.curve],
        "optimal_area": one.optimal_area,
        "monotonic": one.monotonic,
        "seconds": one.timing.run_s,
    }


def _row(records: Sequence[Record]) -> list[Cell]:
    """Return a preset's figures, those of `COLUMNS` after its name."""
    below = [_below(record) for record in records]
    several = [record for record, scores in zip(records, below, strict=True) if len(scores) > 1]
    pairs = [larger >= smaller for scores in below for smaller, larger in pairwise(scores)]
    reached = [record["optimal_area"] for record in records if record["optimal_area"] is not None]
    return [
        len(records),
        _percent([record["monotonic"] for record in records]),
        len(several),
        _percent([record["monotonic"] for record in several]),
        _percent(pairs),
        len(reached),
        fmean(reached) if reached else None,
    ]


def _below(record: Record) -> list[float]:
    """Return the scores below a*, by increasing area; all of them where there is no a*."""
    optimal = record["optimal_area"]
    return [score for area, score in sorted(record["scores"]) if optimal is None or area < optimal]


def _percent(found: Sequence[bool]) -> float | None:
    return 100 * fmean(found) if found else None
