"""Faithfulness of maps: scores as the highest-ranked pixels are inserted or deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import torch

from ep_core.compare.comparison import Answer
from ep_core.compare.run import compare
from ep_core.errors import InvalidInput
from ep_core.evaluation.data.items import Subject, settings_of, subjects
from ep_core.evaluation.reporting.means import available, mean_curve, mean_of, method_table, records
from ep_core.evaluation.reporting.plots import Panel, panels_plot
from ep_core.evaluation.reporting.report import Cell, EvaluationReport, Figure, Table
from ep_core.extremal.preparation import prepare_image
from ep_core.methods.base.method import OnShare
from ep_core.methods.base.registry import get_method
from ep_core.models.classifier import Classifier
from ep_core.models.inputs import engine_on, model_ref
from ep_core.schemas.reports.common import Scores
from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.specs import CompareSpec

from .cost import counted
from .insertion import STEPS, area_under, authors_blur, authors_steps, pixel_curve
from .method_runs import MethodRuns, Run, layers_read, reading, run_methods
from .run import OnRunProgress, Record, unwatched

BENCHMARK = "faithfulness"
MEASURES: dict[str, Literal["highest", "lowest"]] = {
    "insertion": "highest",
    "deletion": "lowest",
    "keep": "highest",
    "delete": "lowest",
}
"""The curves, and which area under them is best."""
PLOT = f"{BENCHMARK}/curves.svg"

Runs = Sequence[MethodRuns[Subject]]


def faithfulness(
    model: Classifier,
    photographs: Sequence[Path],
    spec: CompareSpec,
    *,
    out: Path,
    seeds: Sequence[int] = (0,),
    authors: bool = False,
    on_progress: OnRunProgress = unwatched,
) -> EvaluationReport:
    """Measure how faithful the maps of methods are to the network, for the top class of each photograph.

    Insertion and deletion are Petsiuk et al.'s (BMVC 2018), by pixels and probabilities; keep and delete are
    the curves of figure 3, by smooth masks of equal areas and scores before the softmax (`measured`).

    Args:
        model: the classifier.
        photographs: files.
        spec: the methods, the areas of keep and delete, and how.
        out: folder of the reports; logs and the plot go into its folder ``faithfulness``.
        seeds: methods that draw at random run with each, the others once; takes the place of the spec's.
        authors: whether insertion and deletion go pixel row by pixel row, and insertion starts from a weak blur, as in
            Petsiuk et al.'s code: eight times as many steps.
        on_progress: called with the share that is done.

    Raises:
        InvalidInput: a log in `out` is of a run with other settings, or the perturbation leaves patches out.
    """
    if spec.perturbation == "drop":
        raise InvalidInput("insertion starts from a blurred or faded image: use 'blur' or 'fade'", field="perturbation")
    found = subjects(photographs)
    steps = model.input_size[0] if authors else STEPS
    game = {"insertion_from": "authors' blur"} if authors else {}
    settings = settings_of(model, spec, steps=steps, **game)
    runs = run_methods(
        spec.methods,
        found,
        seeds=seeds,
        key=lambda subject: subject.key,
        work=lambda run, subject, share: measured(model, subject, run, spec, share, authors=authors),
        settings=settings,
        logs=out / BENCHMARK,
        find=get_method,
        layer_of=reading(model, spec),
        on_progress=on_progress,
    )
    figures = []
    if available(runs):
        (out / PLOT).write_bytes(_plot(runs, spec.areas, steps))
        figures = [Figure(title="Mean curves", file=PLOT, caption="Each the mean over the photographs.")]
    return EvaluationReport(
        benchmark=BENCHMARK,
        title="Faithfulness",
        about="The score of each photograph's top class as pixels are inserted or deleted in the order of a map: "
        f"insertion and deletion as in Petsiuk et al. (RISE, BMVC 2018), {_played(authors)}; keep and delete as in "
        "figure 3 of the paper.",
        settings=settings | {"seeds": list(seeds), "layers": layers_read(runs)},
        model=model_ref(model),
        engine=engine_on(model.device),
        items=len(found),
        seconds=sum(of_it.seconds for of_it in runs),
        tables=[_table(runs), _most_kept(runs, spec.areas)],
        figures=figures,
    )


def _played(authors: bool) -> str:
    if authors:
        return "with their code's steps (a row of pixels) and start of insertion (an 11 x 11 blur)"
    return f"in {STEPS} steps and with insertion from the strongest perturbation, unlike their code (`--authors`)"


def measured(
    model: Classifier, subject: Subject, run: Run, spec: CompareSpec, on_share: OnShare, *, authors: bool = False
) -> Record:
    """Return the curves of a method on a photograph's top class, and the areas under them.

    Insertion starts from the fully perturbed image (of `authors`, from `authors_blur`), deletion ends in the network's
    zero, the mean colour. ``cost`` is that of the map alone (`cost.counted`). Keep and
    delete are ``(Phi - Phi_p) / (Phi(x) - Phi_p)``, Phi_p being the score of the fully perturbed image, with the ends
    that this gives them by definition; null where the perturbed image scores no less than the image. Of the method
    `extremal` the masks are its own, of others the top areas as smooth masks.

    Raises:
        MethodUnavailable: the network's structure forbids the method.
    """
    x = subject.network_input(model, spec.fit)
    with model.frozen() as network:
        image = prepare_image(model, network, x, spec, None)
        asked = spec.model_copy(update={"methods": (run.name,), "target": image.target, "seed": run.seed})
        with counted(network, model.input_size) as read_cost:
            compared = compare(
                model,
                x,
                asked,
                on_progress=lambda progress: on_share(progress.iteration / progress.total),
                read_cost=read_cost,
            )
        (answer,) = (one for one in compared.methods if isinstance(one, Answer))
        saliency = answer.map.to(x.device)
        start, steps = (authors_blur(x), authors_steps(x)) if authors else (image.pyramid[-1:], STEPS)
        probable = model.probabilities_by(network)
        curves = {
            "insertion": pixel_curve(probable, start, x, saliency, image.target, steps),
            "deletion": pixel_curve(probable, x, torch.zeros_like(x), saliency, image.target, steps),
            **_normalised(answer.curve, compared.scores),
        }
    places = _places(spec.areas, steps)
    areas = {name: curve and area_under(places[name], curve) for name, curve in curves.items()}
    return {"label": compared.target.label, "seconds": answer.seconds, "cost": answer.cost, **areas, "curves": curves}


def _normalised(curve: Sequence[CurvePoint], scores: Scores) -> dict[str, list[float] | None]:
    span = scores.original - scores.perturbed
    if span <= 0:
        return {"keep": None, "delete": None}
    keep = [(point.preserve - scores.perturbed) / span for point in curve]
    delete = [(point.delete - scores.perturbed) / span for point in curve]
    return {"keep": [0.0, *keep, 1.0], "delete": [1.0, *delete, 0.0]}


def _places(areas: Sequence[float], steps: int) -> Mapping[str, Sequence[float]]:
    """Return where each curve is known, as shares of the pixels."""
    pixels, masks = [k / steps for k in range(steps + 1)], [0, *areas, 1]
    return {"insertion": pixels, "deletion": pixels, "keep": masks, "delete": masks}


def _table(runs: Runs) -> Table:
    note = (
        "Means over the photographs: areas under the curves, seconds a map, and forward-equivalents a map (an image "
        "through the network 1, backwards 2 more)."
    )
    first = next((records(of_it) for of_it in available(runs)), [])
    if without := sum(record["keep"] is None for record in first):
        note += f" Keep and delete without {without} photographs whose perturbed image scores no less than the image."
    columns = ["Method", *(name.capitalize() for name in MEASURES), "Seconds", "Forwards"]
    best = {name.capitalize(): wanted for name, wanted in MEASURES.items()}
    table = Table(title="Areas under the curves", columns=columns, rows=[], note=note, best=best)
    return method_table(table, runs, _figures)


def _figures(found: list[Record]) -> list[Cell]:
    cost = mean_of(found, "cost")
    return [*(mean_of(found, name) for name in (*MEASURES, "seconds")), None if cost is None else round(cost)]


def _most_kept(runs: Runs, areas: Sequence[float]) -> Table:
    """Return how often each method's top area keeps the highest score of all (by eq. 2, the extremal masks' should)."""
    first = {of_it.title: [record["curves"]["keep"] for _, record in of_it.runs[0]] for of_it in available(runs)}
    kept = [curves for curves in zip(*first.values(), strict=True) if None not in curves]
    rows: list[list[Cell]] = [[title] for title in first]
    for k in range(1, 1 + len(areas)):
        highest = [max(curve[k] for curve in curves) for curves in kept]
        for m, row in enumerate(rows):
            won = [curves[m][k] == most for curves, most in zip(kept, highest, strict=True)]
            row.append(sum(won) / len(won) if won else None)
    return Table(
        title="Share of the photographs on which a method keeps the most",
        columns=["Method", *(f"{area:g}" for area in areas)],
        rows=rows,
        note="By area, with the first seed: by definition (eq. 2) no mask of an area keeps more than the extremal one.",
        decimals=2,
    )


def _plot(runs: Runs, areas: Sequence[float], steps: int) -> bytes:
    return panels_plot([_panel(runs, name, _places(areas, steps)[name]) for name in MEASURES], columns=2)


def _panel(runs: Runs, name: str, places: Sequence[float]) -> Panel:
    means = {of_it.title: mean_curve([one["curves"][name] for one in records(of_it)]) for of_it in available(runs)}
    by_pixels = name in ("insertion", "deletion")
    return Panel(
        title=f"{name} ({MEASURES[name]} is best)",
        xlabel=f"share of the {'pixels' if by_pixels else 'image'}",
        ylabel="probability" if by_pixels else "score, normalised",
        lines={title: (places, mean) for title, mean in means.items() if mean},
    )
