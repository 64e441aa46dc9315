"""Tables of docs/results.md, made from the reports that `ep evaluate` has written to docs/results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import scale

SCALE = "scale"
RESULTS = Path(__file__).parent / "results"

Report = Mapping[str, Any]
Rows = Iterable[Sequence[str]]


def recorded() -> dict[str, Report]:
    """Return the recorded reports, by the names of their files without the ending."""
    reports = {path.stem: json.loads(path.read_text()) for path in RESULTS.glob("*.json")}
    return reports | {"grids": _grids(), SCALE: dict(scale.read())}


def _grids() -> Report:
    """Return the grid games of three seeds and of one, which has a method more."""
    return {name: json.loads((RESULTS / f"{name}.json").read_text()) for name in ("grid", "grid-one-seed")}


def _pointing(report: Report, table: int) -> str:
    rows = [(row[0], _mean(*row[1:3]), _mean(*row[3:5]), _mean(row[5])) for row in report["tables"][table]["rows"]]
    return _table(("Method", "All", "Difficult", "All pairs"), [row for row in rows if row[1]])


def _grid(reports: Report) -> str:
    several, one = ({row[0]: row for row in reports[name]["tables"][0]["rows"]} for name in ("grid", "grid-one-seed"))
    rows = [several.get(name) or [f"{name} (one seed)", *row[1:]] for name, row in one.items()]
    header = ("Method", "Share inside (%)", "Standard error over mosaics")
    return _table(header, [(row[0], _mean(*row[1:3]), _mean(row[3])) for row in rows])


def _sanity(report: Report) -> str:
    ranks, likeness = report["tables"]
    rows = zip(ranks["rows"], likeness["rows"], strict=True)
    cells = [(name, [f"{r:.2f} ({s:.2f})" for r, s in zip(a, b, strict=True)]) for (name, *a), (_, *b) in rows]
    return _table(ranks["columns"], [(name, *row) for name, row in cells])


def _stability(report: Report) -> str:
    table, photographs = report["tables"][0], report["items"]
    areas = " ".join(name.removeprefix("IoU 0") for name in table["columns"][1:-3])
    header = ("Against the first answer", f"IoU at {areas}", "rank correlation", "same a* in all runs")
    rows = [
        (kind, " ".join(map(_share, ious)), _share(rank), f"{round(photographs * same / 100)} of {photographs}")
        for kind, *ious, rank, same, _ in table["rows"]
    ]
    return _table(header, rows)


def _mean(mean: float | None, sd: float | None = None) -> str:
    """Return a mean with its standard deviation as per cent; nothing where there is none."""
    if mean is None:
        return ""
    return f"{100 * mean:.1f}" + ("" if sd is None else f" ± {100 * sd:.1f}")


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def _table(header: Sequence[str], rows: Rows) -> str:
    """Return a table in Markdown, with a line free around it."""
    lines = [_line(header), "|" + "---|" * len(header), *map(_line, rows)]
    return "\n\n" + "\n".join(lines) + "\n\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


TABLES: dict[str, tuple[str, Callable[[Report], str]]] = {
    "pointing": ("pointing", lambda report: _pointing(report, 0)),
    "pointing-alike": ("pointing", lambda report: _pointing(report, 1)),
    "grid": ("grids", _grid),
    "sanity": ("sanity", _sanity),
    "stability": ("stability", _stability),
}
"""By name: the report that it is of, and how it is made of it."""
