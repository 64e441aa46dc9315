"""Report of an evaluation: settings, tables and figures, as JSON. `html.py` makes a page of several."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from ep_core.schemas.reports.common import Engine, ModelRef

Cell = str | float | int | None


class Table(BaseModel):
    """A table of figures."""

    title: str
    columns: list[str]
    rows: Annotated[list[list[Cell]], Field(description="As long as `columns` each; null where there is no figure.")]
    note: Annotated[str, Field(description="Explanation of its columns.")] = ""
    decimals: Annotated[int, Field(description="Of its fractions, where they are shown.")] = 3
    best: Annotated[
        dict[str, Literal["highest", "lowest"]],
        Field(description="The best figure of a column: the highest or the lowest. Columns without one are left out."),
    ] = {}

    def shown(self, cell: Cell) -> str:
        """Return a cell as people read it."""
        if cell is None:
            return "–"
        return f"{cell:.{self.decimals}f}" if isinstance(cell, float) else str(cell)

    def is_figures(self, column: int) -> bool:
        """Return whether a column holds figures only."""
        return all(row[column] is None or isinstance(row[column], int | float) for row in self.rows)

    def is_best(self, column: int, cell: Cell) -> bool:
        """Return whether a cell is shown like the best of its column, where there is a choice."""
        wanted = self.best.get(self.columns[column])
        found = [figure for row in self.rows if isinstance(figure := row[column], int | float)]
        if wanted is None or len(found) < 2 or not isinstance(cell, int | float):
            return False
        return self.shown(cell) == self.shown(max(found) if wanted == "highest" else min(found))


class Figure(BaseModel):
    """A picture in a file beside the report."""

    title: str
    file: Annotated[str, Field(description="PNG or SVG, relative to the report.")]
    caption: str = ""


class EvaluationReport(BaseModel):
    """A finished evaluation."""

    benchmark: Annotated[str, Field(description="`pointing`, `grid`, ...")]
    title: str
    about: Annotated[str, Field(description="The quantity measured, and its definition, in a sentence or two.")]
    settings: Annotated[dict[str, Any], Field(description="Everything that the figures depend on, seeds included.")]
    model: ModelRef | None = None
    engine: Engine | None = None
    made_on: Annotated[date | None, Field(description="The day on which it was written, in UTC.")] = None
    items: Annotated[int, Field(description="Number of images (or pairs of image and class) measured.")]
    seconds: Annotated[float, Field(description="Of work on the items, all together, as logged.")]
    tables: list[Table] = []
    figures: list[Figure] = []


def write_report(report: EvaluationReport, out: Path) -> Path:
    """Write a report into a folder, named after its benchmark, with the day."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{report.benchmark}.json"
    dated = report.model_copy(update={"made_on": datetime.now(UTC).date()})
    path.write_text(dated.model_dump_json(indent=2) + "\n")
    return path
