"""The tables of the pointing game: accuracy of each method, and by class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean

from ep_core.evaluation.data.annotations import Scene
from ep_core.evaluation.method_runs import MethodRuns, over_runs, with_remarks
from ep_core.evaluation.points import ALIKE, SMOOTHING
from ep_core.evaluation.run import Record

from .report import Cell, Table

Played = Sequence[tuple[Scene, Record]]
"""A run of the pointing game."""


def accuracies(played: Played, *, only_difficult: bool = False) -> dict[str, float]:
    """Return hits / (hits + misses) by category, of those that have a pair."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for category, pair in _pairs(played):
        if pair["difficult"] or not only_difficult:
            hits[category].append(pair["hit"])
    return {category: fmean(found) for category, found in hits.items()}


def tables(runs: Sequence[MethodRuns[Scene]], *, categories: int, left_out: Sequence[str]) -> list[Table]:
    """Return the table of methods, the same with maps that are smoothed alike, and that of classes by methods."""
    return [_methods_table(runs, categories, left_out), _alike_table(runs), _classes_table(runs)]


def equal_hit(method: str, pair: Record) -> bool | None:
    """Return whether the highest point of the equally smoothed map is a hit.

    Args:
        method: its name. Where its own smoothing is `ALIKE`, its point is that of the equally smoothed map.
        pair: the record of a picture and category.

    Returns:
        None where the record, of an earlier version, lacks it.
    """
    equal = {"sigma": SMOOTHING.get(method), "hit": pair["hit"]} if "equal" not in pair else pair["equal"]
    return equal["hit"] if equal["sigma"] == ALIKE else None


def _methods_table(runs: Sequence[MethodRuns[Scene]], categories: int, left_out: Sequence[str]) -> Table:
    columns = ["Method", "All", "All sd", "Difficult", "Difficult sd", "All pairs", "Seconds per image"]
    columns += ["Pairs", "Difficult pairs", "Runs"]
    rows = [_row(of_it) for of_it in runs]
    with_remarks(columns, rows, runs)
    missing = f" Left out, as the network has no class for them: {', '.join(left_out)}." if left_out else ""
    return Table(
        title="Pointing game",
        columns=columns,
        rows=rows,
        note="All, Difficult: accuracy, hits / (hits + misses) of each class averaged over the classes; mean and "
        "standard deviation (sd) of runs with different seeds. All pairs: hits / (hits + misses) of all pairs of an "
        f"image and a class together. {categories - len(left_out)} of {categories} categories.{missing}",
        best={"All": "highest", "Difficult": "highest", "All pairs": "highest"},
    )


def _alike_table(runs: Sequence[MethodRuns[Scene]]) -> Table:
    return Table(
        title="Pointing game, maps smoothed alike",
        columns=["Method", "All", "All sd", "Difficult", "Difficult sd", "All pairs"],
        rows=[[of_it.title, *_figures(_smoothed_alike(of_it))] for of_it in runs],
        note=f"As above, but every map is smoothed by the same Gaussian: {ALIKE:.0%} of the picture's shorter side, as "
        "extremal maps are. Methods whose logs are of an earlier version have no figures: see --smoothed-alike.",
        best={"All": "highest", "Difficult": "highest", "All pairs": "highest"},
    )


def _smoothed_alike(of_it: MethodRuns[Scene]) -> list[Played]:
    """Return a method's runs with the hits of its equally smoothed maps; no runs where a record lacks them."""
    runs = [[(scene, _with_equal_hits(of_it.name, record)) for scene, record in played] for played in of_it.runs]
    known = all(pair["hit"] is not None for played in runs for _, pair in _pairs(played))
    return list(runs) if known else []


def _with_equal_hits(method: str, record: Record) -> Record:
    pairs = {category: pair | {"hit": equal_hit(method, pair)} for category, pair in record["pairs"].items()}
    return record | {"pairs": pairs}


def _row(of_it: MethodRuns[Scene]) -> list[Cell]:
    pairs = _pairs(of_it.runs[0]) if of_it.runs else None
    return [
        of_it.title,
        *_figures(of_it.runs),
        of_it.seconds_per_item,
        len(pairs) if pairs else None,
        sum(pair["difficult"] for _, pair in pairs) if pairs else None,
        len(of_it.runs) or None,
    ]


def _figures(runs: Sequence[Played]) -> list[Cell]:
    """Return mean and deviation of All, those of Difficult, and the mean of All pairs; None where there are no runs."""
    everything = over_runs([_mean(accuracies(played).values()) for played in runs])
    difficult = over_runs([_mean(accuracies(played, only_difficult=True).values()) for played in runs])
    pooled, _ = over_runs([_mean(pair["hit"] for _, pair in _pairs(played)) for played in runs])
    return [*everything, *difficult, pooled]


def _classes_table(runs: Sequence[MethodRuns[Scene]]) -> Table:
    by_method = [[accuracies(played) for played in of_it.runs] for of_it in runs]
    counts: dict[str, int] = defaultdict(int)
    for category, _ in next((_pairs(of_it.runs[0]) for of_it in runs if of_it.runs), []):
        counts[category] += 1
    rows: list[list[Cell]] = [
        [category, counts[category], *(over_runs([by_class[category] for by_class in found])[0] for found in by_method)]
        for category in sorted(counts)
    ]
    return Table(
        title="Pointing game by class",
        columns=["Class", "Pairs", *(of_it.title for of_it in runs)],
        rows=rows,
        note="Accuracy: hits / (hits + misses), the mean of the runs.",
    )


def _pairs(played: Played) -> list[tuple[str, Record]]:
    """Return the pairs of category and what happened, over all pictures."""
    return [entry for _, record in played for entry in record["pairs"].items()]


def _mean(values: Iterable[float]) -> float | None:
    values = list(values)
    return fmean(values) if values else None
