"""Summary of a dataset's results: where a* is small and large, by class, right against wrong. Imports no torch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ep_core.schemas.specs import Variant

from .rows import Row

COLUMNS = ("id", "digest", "label", "right", "problem", "target", "optimal_area", "scores", "curve")
"""Columns of the results that a summary is made of."""
SHOWN = 12
"""Images of each kind that a page shows."""
MOST_CLASSES, MOST_PROBLEMS = 1000, 50
"""Rows of a page's lists, at most."""
NONE = float("inf")
"""a* of an image of which no area of the sweep suffices."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Finding of an image, as far as the summary needs it."""

    id: str
    digest: str
    label: str | None
    right: bool | None
    """Whether the network's top class is the label's; None where there is no label, or it is no class."""
    target: str
    area: float
    """a*; `NONE` where no area suffices."""
    ease: float
    """Mean over the areas of the share of the score that each keeps (of `delete`: destroys): it orders equal a*."""


@dataclass(frozen=True, kw_only=True)
class OfClass:
    """Findings of a class: the images with its label, or, without labels, those for which it was explained."""

    label: str
    images: int
    median: float | None
    """Of a*; None where no area suffices for half of them."""
    unreached: int
    """Images of which no area suffices."""
    right: int | None
    """Images whose top class is the label's; None where no label is known as a class."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Summary of results."""

    images: int
    explained: int
    median: float | None
    right: int
    wrong: int
    counts: dict[float, Counter[bool | None]]
    """By a*, smallest first: how many images, of right (True), wrong (False) and unknown predictions."""
    classes: list[OfClass]
    """By median, smallest first; `MOST_CLASSES` at most: half of them from either end."""
    more_classes: int
    smallest: list[Found]
    largest: list[Found]
    wrong_ones: list[Found]
    """Wrong predictions, by a*, smallest first."""
    problems: list[tuple[str, str]]
    """Images without a result and the reasons; `MOST_PROBLEMS` at most."""
    more_problems: int


def summarise(results: Iterable[Row], *, areas: Sequence[float], variant: Variant) -> Summary:
    """Return the summary of results.

    Args:
        results: rows of `COLUMNS`.
        areas: of the sweep.
        variant: of the sweep.
    """
    found: list[Found] = []
    problems: list[tuple[str, str]] = []
    for row in results:
        if row["problem"] is None:
            found.append(_found(row, variant))
        else:
            problems.append((row["id"], row["problem"]))
    counts: dict[float, Counter[bool | None]] = {area: Counter() for area in (*areas, NONE)}
    for one in found:
        counts[one.area][one.right] += 1
    classes = _classes(found)
    right_ones, wrong_ones = ([one for one in found if one.right is known] for known in (True, False))
    ordered = sorted(found, key=_order)
    return Summary(
        images=len(found) + len(problems),
        explained=len(found),
        median=_median([one.area for one in found]),
        right=len(right_ones),
        wrong=len(wrong_ones),
        counts=counts,
        classes=_from_both_ends(classes, MOST_CLASSES),
        more_classes=max(0, len(classes) - MOST_CLASSES),
        smallest=ordered[:SHOWN],
        largest=ordered[SHOWN:][-SHOWN:][::-1],
        wrong_ones=sorted(wrong_ones, key=_order)[:SHOWN],
        problems=problems[:MOST_PROBLEMS],
        more_problems=max(0, len(problems) - MOST_PROBLEMS),
    )


def _found(row: Row, variant: Variant) -> Found:
    area, whole = row["optimal_area"], row["scores"]["original"]
    kept = [point["preserve"] if variant != "delete" else whole - point["delete"] for point in row["curve"]]
    return Found(
        id=row["id"],
        digest=row["digest"],
        label=row["label"],
        right=row["right"],
        target=row["target"]["label"],
        area=NONE if area is None else area,
        ease=sum(kept) / len(kept) / whole if whole > 0 else 0.0,
    )


def _order(one: Found) -> tuple[float, float, str]:
    return one.area, -one.ease, one.id


def _median(areas: Sequence[float]) -> float | None:
    middle = median(areas) if areas else NONE
    return None if middle == NONE else middle


def _classes(found: Iterable[Found]) -> list[OfClass]:
    groups: defaultdict[str, list[Found]] = defaultdict(list)
    for one in found:
        groups[one.target if one.label is None else one.label].append(one)
    classes = [_of_class(label, group) for label, group in groups.items()]
    return sorted(classes, key=lambda one: (NONE if one.median is None else one.median, one.unreached, one.label))


def _of_class(label: str, group: Sequence[Found]) -> OfClass:
    known = [one.right for one in group if one.right is not None]
    return OfClass(
        label=label,
        images=len(group),
        median=_median([one.area for one in group]),
        unreached=sum(one.area == NONE for one in group),
        right=sum(known) if known else None,
    )


def _from_both_ends(classes: list[OfClass], most: int) -> list[OfClass]:
    return classes if len(classes) <= most else classes[: most // 2] + classes[-(most // 2) :]
