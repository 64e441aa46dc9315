"""Extremality: whether any method's mask, or any other run's, scores higher than the extremal mask of its area (eq. 2).

By definition none may. A sweep's own check knows a few cheap rivals; this compares all methods, and restarts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ep_core.compare.run import compare
from ep_core.engine import explain
from ep_core.errors import InvalidInput
from ep_core.evaluation.data.items import Subject, settings_of, subjects
from ep_core.evaluation.reporting.extremality_tables import TOLERANCE, Photograph, tables
from ep_core.evaluation.reporting.report import EvaluationReport
from ep_core.extremal.explanation import Explanation
from ep_core.methods.base.registry import get_method
from ep_core.models import Classifier
from ep_core.models.inputs import engine_on, model_ref
from ep_core.schemas.specs import EXTREMAL, CompareSpec, ExtremalSpec, SpatialSpec
from ep_core.schemas.specs.common import MAX_ITERATIONS

from .method_runs import MethodRuns, OnShare, Run, layers_read, reading, run_methods
from .run import ItemLog, OnRunProgress, Record, measure, unwatched

BENCHMARK = "extremality"
LONGER = 3
"""Times as many iterations that a restart takes."""
PARTS = (0.2, 0.3, 0.5)
"""Shares of the progress: sweeps, methods, restarts."""


def extremality(
    model: Classifier,
    photographs: Sequence[Path],
    spec: CompareSpec,
    *,
    restarts: int = 8,
    restarted: int = 12,
    out: Path,
    on_progress: OnRunProgress = unwatched,
) -> EvaluationReport:
    """Compare the masks of default sweeps with the top areas of methods, and with the best of longer restarts.

    The class is the top one of each photograph; the sweeps preserve.

    Args:
        model: the classifier.
        photographs: files.
        spec: the methods, without `extremal`, the areas, and how; its variant is ignored.
        restarts: seeds, from the spec's own one on, that are run with `LONGER` times the iterations; 0 or more.
        restarted: how many of the photographs are restarted, the first ones; 0 or more.
        out: folder of the reports; logs go into its folder ``extremality``: one of the sweeps, one a method, one of the
            restarts.
        on_progress: called with the share that is done.

    Raises:
        InvalidInput: the methods hold `extremal`, the preset isn't `fast`, or a log in `out` is of a run with other
            settings.
    """
    if spec.preset != "fast":
        detail = f"masks of {spec.preset!r} differ from the methods' in area and sharpness: use the preset 'fast'"
        raise InvalidInput(detail, field="preset")
    if EXTREMAL in spec.methods:
        raise InvalidInput(f"the methods are compared with {EXTREMAL!r}: leave it out", field="methods")
    spec = spec.model_copy(update={"variant": "preserve"})
    check = _Check(model, spec, subjects(photographs), out / BENCHMARK, _parts(on_progress))
    sweeps = check.sweeps()
    rivals = check.rivals()
    again = check.restarts(sweeps, restarts, restarted)
    photos = [Photograph(record, again.get(subject.key, [])) for subject, record in sweeps]
    seconds = [record["seconds"] for _, record in sweeps] + [
        one["seconds"] for found in again.values() for one in found
    ]
    return EvaluationReport(
        benchmark=BENCHMARK,
        title="Extremality",
        about="Whether a mask of the same area scores higher than the extremal one, for the top class of each "
        "photograph: the top area of any compared method, or the best of several longer runs (eq. 2 forbids both).",
        settings=settings_of(model, spec)
        | {
            "methods": list(spec.methods),
            "seed": spec.seed,
            "tolerance": TOLERANCE,
            "layers": layers_read(rivals),
            "restarts": restarts,
            "restarted": restarted,
            "restarts_iterations": f"{LONGER} times the sweep's",
        },
        model=model_ref(model),
        engine=engine_on(model.device),
        items=len(sweeps),
        seconds=sum(seconds) + sum(of_it.seconds for of_it in rivals),
        tables=tables(photos, rivals, spec.areas),
    )


class _Check:
    """The three measurements, each with its logs."""

    def __init__(
        self,
        model: Classifier,
        spec: CompareSpec,
        found: Sequence[Subject],
        logs: Path,
        on_progress: Sequence[OnRunProgress],
    ) -> None:
        self._model = model
        self._spec = spec
        self._sweep = ExtremalSpec.model_validate(
            spec.model_dump(include=set(SpatialSpec.model_fields) - {"task", "target"})
            | {"alternatives": 0, "contrast": False}
        )
        self._layer_of = reading(model, spec)
        self._found = found
        self._logs = logs
        self._on_progress = on_progress

    def sweeps(self) -> list[tuple[Subject, Record]]:
        """Return the default sweep of each photograph, its own check included."""

        def work(subject: Subject, share: OnShare) -> Record:
            one = self._explain(subject, self._sweep, share)
            if one.extremality is None:
                raise InvalidInput("a sweep without its own check can't be evaluated", field="check_extremality")
            return {
                "label": one.target.label,
                "original": one.scores.original,
                "scores": _scores(one),
                "beaten": [bool(point.beaten_by) for point in one.extremality.points],
                "extremal": one.extremality.extremal,
                "iterations": one.spec.iterations,
                "seconds": one.timing.run_s,
            }

        log = ItemLog(self._logs / f"sweeps-{self._spec.seed}.jsonl", settings_of(self._model, self._sweep))
        return list(measure(self._found, _key, work, log, self._on_progress[0]))

    def rivals(self) -> list[MethodRuns[Subject]]:
        """Return the scores of the top areas of each method on each photograph."""

        def work(run: Run, subject: Subject, share: OnShare) -> Record:
            x = subject.network_input(self._model, self._spec.fit)
            asked = self._spec.model_copy(update={"methods": (run.name,), "target": None, "seed": run.seed})
            compared = compare(self._model, x, asked, on_progress=lambda done: share(done.iteration / done.total))
            (answer,) = compared.answers
            return {"scores": [point.preserve for point in answer.curve], "seconds": answer.seconds}

        return run_methods(
            self._spec.methods,
            self._found,
            seeds=[self._spec.seed],
            key=_key,
            work=work,
            settings=settings_of(self._model, self._spec),
            logs=self._logs,
            find=get_method,
            layer_of=self._layer_of,
            on_progress=self._on_progress[1],
        )

    def restarts(
        self, sweeps: Sequence[tuple[Subject, Record]], restarts: int, restarted: int
    ) -> dict[str, list[Record]]:
        """Return the restarts of the first photographs, by the photographs' keys."""
        first = self._spec.seed
        items = [(one, seed) for one in sweeps[:restarted] for seed in range(first, first + restarts)]

        def work(item: tuple[tuple[Subject, Record], int], share: OnShare) -> Record:
            (subject, record), seed = item
            iterations = min(LONGER * record["iterations"], MAX_ITERATIONS)
            longer = self._sweep.model_copy(update={"seed": seed, "iterations": iterations})
            one = self._explain(subject, longer, share)
            return {"scores": _scores(one), "seconds": one.timing.run_s}

        log = ItemLog(self._logs / "restarts.jsonl", settings_of(self._model, self._sweep, longer=LONGER))
        found: dict[str, list[Record]] = {}
        for ((subject, _), _), record in measure(
            items, lambda item: f"{item[0][0].key} {item[1]}", work, log, self._on_progress[2]
        ):
            found.setdefault(subject.key, []).append(record)
        return found

    def _explain(self, subject: Subject, spec: ExtremalSpec, share: OnShare) -> Explanation:
        x = subject.network_input(self._model, spec.fit)
        return explain(self._model, x, spec, on_progress=lambda done: share(done.iteration / done.total))


def _key(subject: Subject) -> str:
    return subject.key


def _scores(one: Explanation) -> list[float]:
    return [point.preserve for point in one.curve]


def _parts(on_progress: OnRunProgress) -> list[OnRunProgress]:
    """Return what turns shares of the three measurements into shares of all."""
    starts = [sum(PARTS[:k]) for k in range(len(PARTS))]
    return [partial(_part, on_progress, start, size) for start, size in zip(starts, PARTS, strict=True)]


def _part(on_progress: Callable[[float, str], None], start: float, size: float, share: float, what: str) -> None:
    on_progress(start + size * share, what)
