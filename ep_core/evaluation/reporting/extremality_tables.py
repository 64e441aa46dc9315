"""Tables of `ep evaluate extremality`: how often a rival scores higher, and the gain of a longer search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from ep_core.evaluation.data.items import Subject
from ep_core.evaluation.method_runs import MethodRuns
from ep_core.evaluation.run import Record

from .means import available, method_table
from .report import Cell, Table

TOLERANCE = 1e-3
"""Share of |Phi(x)| by which a rival must score higher to count: below it, scores are equal."""
CLOSE = 0.03
"""Share of our score by which the best restart may be higher, for ours to count as close."""

Rivals = Sequence[MethodRuns[Subject]]


@dataclass(frozen=True)
class Photograph:
    """Scores of a photograph, those of its rivals apart."""

    sweep: Record
    restarts: Sequence[Record]
    """Empty where it wasn't restarted."""

    @property
    def size(self) -> float:
        """|Phi(x)|, the unit of differences between scores."""
        return abs(self.sweep["original"])

    def lead(self, rival: float, area: int) -> float:
        """Return by how much a rival scores higher than the mask of the k-th area."""
        return rival - float(self.sweep["scores"][area])

    def is_beaten(self, rival: float, area: int) -> bool:
        """Return whether a rival scores higher by more than the tolerance."""
        return self.lead(rival, area) > TOLERANCE * self.size

    def gap(self, area: int) -> float | None:
        """Return (best restart - ours) / |ours| at the k-th area; None where ours scores 0."""
        ours = float(self.sweep["scores"][area])
        return (max(one["scores"][area] for one in self.restarts) - ours) / abs(ours) if ours else None


def tables(photographs: Sequence[Photograph], rivals: Rivals, areas: Sequence[float]) -> list[Table]:
    """Return the tables of pairs, of methods, and, where there are any, of restarts."""
    found = [_pairs_table(photographs, rivals, areas), _methods_table(photographs, rivals, areas)]
    again = [one for one in photographs if one.restarts]
    return [*found, _restarts_table(again, areas)] if again else found


def _pairs_table(photographs: Sequence[Photograph], rivals: Rivals, areas: Sequence[float]) -> Table:
    by_method = [[record["scores"] for _, record in of_it.runs[0]] for of_it in available(rivals)]
    held = [
        [not any(one.is_beaten(scores[p][k], k) for scores in by_method) for k in range(len(areas))]
        for p, one in enumerate(photographs)
    ]
    checked = [[not beaten for beaten in one.sweep["beaten"]] for one in photographs]
    rows: list[list[Cell]] = [
        [f"{area:g}", len(held), _percent([row[k] for row in held]), _percent([row[k] for row in checked])]
        for k, area in enumerate(areas)
    ]
    pairs, own = ([cell for row in found for cell in row] for found in (held, checked))
    rows.append(["all pairs", len(pairs), _percent(pairs), _percent(own)])
    whole = [one.sweep["extremal"] for one in photographs]
    rows.append(["whole sweeps", len(held), _percent([all(row) for row in held]), _percent(whole)])
    return Table(
        title="No rival scores higher",
        columns=["Area", "Pairs", "No method (%)", "No rival of its own check (%)"],
        rows=rows,
        note="Share of the pairs of a photograph and an area whose mask isn't beaten: by no method's top area, "
        f"a smooth mask of the same area, by more than {TOLERANCE:g} |Phi(x)|; by no rival of the sweep's own "
        "check, as its result says. Whole sweeps: share of the photographs of which that holds at every area.",
        decimals=1,
    )


def _methods_table(photographs: Sequence[Photograph], rivals: Rivals, areas: Sequence[float]) -> Table:
    def figures(found: list[Record]) -> list[Cell]:
        leads = [
            (one.lead(record["scores"][k], k), one.size)
            for one, record in zip(photographs, found, strict=True)
            for k in range(len(areas))
            if one.is_beaten(record["scores"][k], k)
        ]
        shares = [100 * lead / size for lead, size in leads if size]
        pairs = len(photographs) * len(areas)
        return [len(leads), 100 * len(leads) / pairs, fmean(shares) if shares else None, max(shares, default=None)]

    table = Table(
        title="Methods that score higher than the extremal mask",
        columns=["Method", "Pairs won", "Of all (%)", "By, mean (%)", "By, most (%)"],
        rows=[],
        note="By how much: of the pairs won, as a share of |Phi(x)|.",
        decimals=1,
    )
    return method_table(table, rivals, figures)


def _restarts_table(photographs: Sequence[Photograph], areas: Sequence[float]) -> Table:
    by_area = [[gap for one in photographs if (gap := one.gap(k)) is not None] for k in range(len(areas))]
    rows = [[f"{area:g}", *_gaps(gaps)] for area, gaps in zip(areas, by_area, strict=True)]
    rows.append(["all pairs", *_gaps([gap for gaps in by_area for gap in gaps])])
    return Table(
        title="The best of longer restarts",
        columns=["Area", "Pairs", "Higher by, mean (%)", "median (%)", "most (%)", f"Within {CLOSE:.0%} (%)"],
        rows=rows,
        note=f"(best - ours) / |ours|, the best being the highest score of {len(photographs[0].restarts)} seeds; below "
        f"0 where ours is higher. {len(photographs)} photographs.",
        decimals=1,
    )


def _gaps(gaps: Sequence[float]) -> list[Cell]:
    if not gaps:
        return [0, *[None] * 4]
    percent = [100 * gap for gap in gaps]
    return [len(gaps), fmean(percent), median(percent), max(percent), _percent([gap <= CLOSE for gap in gaps])]


def _percent(found: Sequence[bool]) -> float:
    return 100 * fmean(found)
