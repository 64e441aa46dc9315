"""Stability: agreement of a result with those of other seeds, re-encoded or moved photographs, and other fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import get_args

from ep_core.engine import explain
from ep_core.errors import InvalidInput
from ep_core.evaluation.data.items import Subject, settings_of, subjects
from ep_core.evaluation.data.variations import JPEG_QUALITY, SHIFT, Kind, agreement, variations
from ep_core.evaluation.reporting.report import Cell, EvaluationReport, Table
from ep_core.extremal.explanation import Explanation
from ep_core.models import Classifier
from ep_core.models.inputs import engine_on, model_ref
from ep_core.schemas.progress import Progress
from ep_core.schemas.specs import ExtremalSpec, Preset

from .run import ItemLog, OnRunProgress, Record, measure, unwatched

BENCHMARK = "stability"
SEEDS = (0, 1, 2, 3, 4)
KINDS: tuple[Kind, ...] = get_args(Kind)
NAMES = {"seed": "other seeds", "jpeg": f"JPEG, quality {JPEG_QUALITY}", "shift": f"moved by {SHIFT} pixels"}
"""Names of kinds in the table, where they differ from the kinds' own."""

Measured = Sequence[tuple[Subject, Record]]


def stability(
    model: Classifier,
    photographs: Sequence[Path],
    spec: ExtremalSpec,
    presets: Sequence[Preset],
    *,
    seeds: Sequence[int] = SEEDS,
    out: Path,
    on_progress: OnRunProgress = unwatched,
) -> EvaluationReport:
    """Compare the result of the first seed with those of requests that should have the same one (`variations`).

    The class is always the top one of the photograph as it is.

    Args:
        model: the classifier.
        photographs: files.
        spec: the sweep, by a blur; its preset and seed are ignored.
        presets: which ones to measure.
        seeds: all different, at least two; the first one is that of the first answer and of all other kinds.
        out: folder of the reports; logs go into its folder ``stability``, one a preset.
        on_progress: called with the share that is done.

    Raises:
        InvalidInput: `seeds` or `spec` aren't as described, or a log in `out` is of a run with other settings.
    """
    _check(spec, seeds)
    found = subjects(photographs)
    asked = {"seeds": list(seeds), "check_extremality": spec.check_extremality}
    asked |= {"jpeg_quality": JPEG_QUALITY, "shift": SHIFT}
    tables: list[Table] = []
    seconds = 0.0
    for k, preset in enumerate(presets):

        def part(share: float, what: str, k: int = k) -> None:
            on_progress((k + share) / len(presets), what)

        changed = {"preset": preset, "seed": seeds[0], "alternatives": 0, "contrast": False}
        sweep = ExtremalSpec.model_validate(spec.model_dump() | changed)
        log = ItemLog(out / BENCHMARK / f"{preset}.jsonl", settings_of(model, sweep, **asked))
        work = partial(_record, model, sweep, seeds[1:])
        measured = list(measure(found, lambda subject: subject.key, work, log, part))
        tables += [_kinds_table(preset, sweep.areas, measured), _seeds_table(preset, seeds, measured)]
        seconds += sum(run["seconds"] for _, record in measured for run in (record["first"], *record["runs"]))
    settings = settings_of(model, spec, **asked) | {"presets": list(presets)}
    del settings["preset"]
    return EvaluationReport(
        benchmark=BENCHMARK,
        title="Stability",
        about="Agreement of the masks of each photograph's top class with the first seed's, where only the seed, "
        "the file's encoding, a few pixels' place, or what masked pixels are filled with is another.",
        settings=settings,
        model=model_ref(model),
        engine=engine_on(model.device),
        items=len(found),
        seconds=seconds,
        tables=tables,
    )


def _check(spec: ExtremalSpec, seeds: Sequence[int]) -> None:
    if len(seeds) < 2 or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise InvalidInput(f"seeds must be two at least, all different, 0 or more, not {list(seeds)}", field="seeds")
    if spec.perturbation != "blur":
        raise InvalidInput("stability compares a blur with other fills: use perturbation 'blur'", field="perturbation")


def _record(
    model: Classifier, spec: ExtremalSpec, seeds: Sequence[int], subject: Subject, share: Callable[[float], None]
) -> Record:
    x = subject.network_input(model, spec.fit)
    total = len(seeds) + len(KINDS)  # the first answer, the other seeds, and the other kinds

    def watch(done: int) -> Callable[[Progress], None]:
        return lambda progress: share((done + progress.iteration / progress.total) / total)

    first = explain(model, x, spec, on_progress=watch(0))
    spec = spec.model_copy(update={"target": first.target.index})
    runs = []
    for done, asked in enumerate(variations(model, subject, x, spec, seeds), start=1):
        answer = explain(asked.model, asked.x, asked.spec, on_progress=watch(done))
        overlaps, correlation = agreement(first.masks, answer.masks, asked.shift)
        runs.append({"kind": asked.kind, **_answer(answer), "iou": overlaps, "correlation": correlation})
    return {"label": first.target.label, "first": _answer(first), "runs": runs}


def _answer(one: Explanation) -> Record:
    return {"seed": one.spec.seed, "optimal_area": one.optimal_area, "seconds": one.timing.run_s}


def _kinds_table(preset: Preset, areas: Sequence[float], measured: Measured) -> Table:
    return Table(
        title=f"Beside the first seed's answer, {preset}",
        columns=["Kind", *(f"IoU {area:g}" for area in areas), "Rank correlation", "Same a* (%)", "Seconds"],
        rows=[[NAMES.get(kind, kind), *_figures(kind, measured)] for kind in KINDS],
        note="IoU: of the masks above 0.5, by area; rank correlation: Spearman's, of the sums of the masks; seconds: "
        "of a sweep; all means over photographs and runs. Same a*: share of the photographs whose optimal area is the "
        "same in all runs of the kind and the first one. A moved photograph's masks are moved back and compared where "
        "both lie. Fades end in black, and in the mean colour (the zero of the network's normalisation).",
    )


def _figures(kind: Kind, measured: Measured) -> list[Cell]:
    """Return the figures of a kind, those of the table after its name."""
    runs = [run for _, record in measured for run in record["runs"] if run["kind"] == kind]
    same = [len(set(_optimal_areas(record, kind))) == 1 for _, record in measured]
    return [
        *(fmean(column) for column in zip(*(run["iou"] for run in runs), strict=True)),
        fmean(run["correlation"] for run in runs),
        100 * fmean(same),
        fmean(run["seconds"] for run in runs),
    ]


def _seeds_table(preset: Preset, seeds: Sequence[int], measured: Measured) -> Table:
    return Table(
        title=f"Optimal area by seed, {preset}",
        columns=["Photograph", "Class", *map(str, seeds)],
        rows=[[subject.path.stem, record["label"], *_optimal_areas(record, "seed")] for subject, record in measured],
        note="a* (eq. 3); none where no area reaches Phi_0.",
    )


def _optimal_areas(record: Record, kind: Kind) -> list[float | None]:
    """Return a* of the first answer and of all runs of a kind."""
    return [run["optimal_area"] for run in (record["first"], *record["runs"]) if run.get("kind", kind) == kind]
