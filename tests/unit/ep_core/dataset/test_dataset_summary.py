"""Summary of a dataset's results, by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ep_core.dataset.labels import class_indices
from ep_core.dataset.summary import NONE, summarise


def row(name: str, area: float | None, kept: tuple[float, float], **other: Any) -> dict[str, Any]:
    curve = [{"preserve": one, "delete": 1 - one} for one in kept]
    shared = {"digest": name, "label": None, "right": None, "problem": None, "target": {"label": "t"}}
    return shared | {"id": name, "optimal_area": area, "scores": {"original": 2.0}, "curve": curve} | other


ROWS = [
    row("b", 0.1, (2.0, 2.0), label="x", right=True),
    row("a", 0.1, (1.0, 2.0), label="x", right=True),
    row("c", 0.3, (0.0, 2.0), label="x", right=False),
    row("d", None, (0.0, 1.0), label="y", right=False),
    row("e", None, (0.0, 0.5)),
    row("f", None, (0.0, 0.0), problem="broken", target=None, scores=None, curve=None),
]


def test_areas_are_counted_ordered_and_put_together_by_class() -> None:
    found = summarise(ROWS, areas=(0.1, 0.3), variant="preserve")
    assert (found.images, found.explained, found.median, found.right, found.wrong) == (6, 5, 0.3, 2, 2)
    assert found.counts == {
        0.1: Counter({True: 2}), 0.3: Counter({False: 1}), NONE: Counter({False: 1, None: 1}),
    }  # fmt: skip
    assert [one.id for one in found.smallest] == ["b", "a", "c", "d", "e"]  # the more is kept, the earlier
    assert [one.ease for one in found.smallest] == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.125])
    assert [one.id for one in found.wrong_ones] == ["c", "d"]
    assert found.problems == [("f", "broken")]
    assert [(one.label, one.images, one.median, one.unreached, one.right) for one in found.classes] == [
        ("x", 3, 0.1, 0, 2), ("t", 1, None, 1, None), ("y", 1, None, 1, 0),
    ]  # fmt: skip


def test_largest_areas_are_others_than_the_smallest() -> None:
    many = [row(f"{k:02}", 0.1 if k < 14 else 0.3, (k / 100, 1.0)) for k in range(30)]
    found = summarise(many, areas=(0.1, 0.3), variant="preserve")
    assert [one.id for one in found.smallest] == [f"{k:02}" for k in range(13, 1, -1)]
    assert [one.id for one in found.largest] == [f"{k:02}" for k in range(14, 26)]


def test_of_a_deletion_what_is_destroyed_counts() -> None:
    (one,) = summarise([row("a", 0.1, (0.5, 1.0))], areas=(0.1,), variant="delete").smallest
    assert one.ease == pytest.approx(((2 - 0.5) + (2 - 0)) / 2 / 2)


def test_labels_are_classes_by_name_or_index() -> None:
    assert class_indices(["Cat", "1", "cow", None, "7"], ["cat", "dog"]) == {"Cat": 0, "1": 1, "cow": None, "7": None}
