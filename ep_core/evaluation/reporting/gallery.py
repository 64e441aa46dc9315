"""Gallery of sweeps: photographs are explained one by one, and one or more pictures of each are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ep_core.engine import explain
from ep_core.evaluation.data.items import Subject, settings_of, subjects
from ep_core.evaluation.run import ItemLog, OnRunProgress, Record, measure, unwatched
from ep_core.extremal.explanation import Explanation
from ep_core.models.classifier import Classifier
from ep_core.models.inputs import engine_on, model_ref
from ep_core.schemas.specs import ExtremalSpec

from .report import EvaluationReport, Figure

Draw = Callable[[Explanation], dict[str, bytes]]
"""Makes pictures of a sweep, by the ends of their file names."""


def picture_each(
    benchmark: str,
    model: Classifier,
    photographs: Sequence[Path],
    spec: ExtremalSpec,
    draw: Draw,
    *,
    captions: dict[str, str],
    out: Path,
    on_progress: OnRunProgress = unwatched,
    **words: Any,
) -> EvaluationReport:
    """Explain each photograph's top class and draw it.

    Args:
        benchmark: its name, also that of the folder of its log and pictures.
        model: the classifier.
        photographs: files.
        spec: the sweep.
        draw: makes the pictures.
        captions: by the ends of the file names, which are the same for every photograph.
        out: folder of the reports.
        on_progress: called with the share that is done.
        words: title and about of the report.

    Raises:
        InvalidInput: the log in `out` is of a run with other settings.
    """
    spec = spec.masks_only()
    found, folder, settings = subjects(photographs), out / benchmark, settings_of(model, spec)

    def pictures(subject: Subject) -> dict[str, Path]:
        return {end: folder / f"{subject.key}-{spec.seed}{end}" for end in captions}

    def work(subject: Subject, share: Callable[[float], None]) -> Record:
        x = subject.network_input(model, spec.fit)
        one = explain(model, x, spec, on_progress=lambda progress: share(progress.iteration / progress.total))
        for end, data in draw(one).items():
            pictures(subject)[end].write_bytes(data)
        return _record(one)

    log = ItemLog(folder / f"log-{spec.seed}.jsonl", settings)
    for subject in found:
        if not all(path.exists() for path in pictures(subject).values()):
            log.forget(subject.key)
    done = list(measure(found, lambda subject: subject.key, work, log, on_progress))
    return EvaluationReport(
        benchmark=benchmark,
        settings=settings | {"seed": spec.seed},
        model=model_ref(model),
        engine=engine_on(model.device),
        items=len(found),
        seconds=sum(record["seconds"] for _, record in done),
        figures=[
            Figure(title=_title(subject, record), file=str(path.relative_to(out)), caption=captions[end])
            for subject, record in done
            for end, path in pictures(subject).items()
        ],
        **words,
    )


def _record(one: Explanation) -> Record:
    return {
        "label": one.target.label,
        "scores": one.scores.model_dump(),
        "curve": [[point.area, point.preserve, point.delete] for point in one.curve],
        "optimal_area": one.optimal_area,
        "seconds": one.timing.run_s,
    }


def _title(subject: Subject, record: Record) -> str:
    optimal = record["optimal_area"]
    return f"{record['label']} ({subject.path.name}), " + (f"a* = {optimal:.0%}" if optimal else "a* not reached")
