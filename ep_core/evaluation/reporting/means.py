"""Means over the records of methods, and tables of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from ep_core.evaluation.method_runs import MethodRuns
from ep_core.evaluation.run import Item, Record

from .report import Cell, Table


def records(of_it: MethodRuns[Item]) -> list[Record]:
    """Return a method's records, those of all its runs together; none where it is unavailable."""
    return [record for run in of_it.runs for _, record in run]


def available(runs: Sequence[MethodRuns[Item]]) -> list[MethodRuns[Item]]:
    """Return the methods that had an answer."""
    return [of_it for of_it in runs if not of_it.unavailable]


def mean_of(found: Sequence[Record], name: str) -> float | None:
    """Return the mean of a figure over the records that have it (older logs lack some); None where none has."""
    values = [record[name] for record in found if record.get(name) is not None]
    return fmean(values) if values else None


def mean_curve(curves: Sequence[Sequence[float] | None]) -> list[float]:
    """Return the mean of curves, point by point, without those that are None; empty where all are."""
    known = [curve for curve in curves if curve is not None]
    return [fmean(column) for column in zip(*known, strict=True)]


def method_table(
    table: Table, runs: Sequence[MethodRuns[Item]], figures: Callable[[list[Record]], Sequence[Cell]]
) -> Table:
    """Return a table with a row for each method; where one is unavailable, a last column has the reason.

    Args:
        table: without rows; its first column is the method.
        runs: of the methods.
        figures: makes the other columns out of a method's records.
    """
    refused = len(available(runs)) < len(runs)
    nothing: list[Cell] = [None] * (len(table.columns) - 1)
    rows: list[list[Cell]] = []
    for of_it in runs:
        cells = nothing if of_it.unavailable else figures(records(of_it))
        rows.append([of_it.title, *cells, *([of_it.unavailable] if refused else [])])
    columns = [*table.columns, "Remark"] if refused else table.columns
    return table.model_copy(update={"columns": columns, "rows": rows})
