"""The pointing game, by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ep_core.evaluation.data.annotations import Scene
from ep_core.evaluation.pointing import pointing
from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.models import Classifier

from .conftest import CLASSES, peaks, pictures, play, rows, square


def test_accuracy_is_averaged_over_classes(colours: Classifier, scene: Callable[..., Scene]) -> None:
    data = pictures(
        scene("a", red=square(8, 8), cold=square(40, 30)),
        scene("b", red=square(8, 8), person=square(0, 0)),
        scene("c", red=square(40, 40)),
        scene("d", person=square(8, 8)),  # shows nothing that the network knows
    )
    report = play(colours, data, {"peaks": peaks((9, 9), (0, 0), (41, 31))})
    row = rows(report.tables[0])["Peaks"]
    assert report.items == 3
    assert row["Pairs"] == 4
    assert row["All"] == pytest.approx((2 / 3 + 1) / 2)
    assert row["All pairs"] == 3 / 4
    assert row["Difficult pairs"] == 3  # c shows nothing else
    assert row["Difficult"] == 1
    assert rows(report.tables[2]) == {
        "red": {"Class": "red", "Pairs": 3, "Peaks": pytest.approx(2 / 3)},
        "cold": {"Class": "cold", "Pairs": 1, "Peaks": 1},
    }
    assert report.settings["categories_left_out"] == ["person"]
    assert "2 of 3 categories" in report.tables[0].note


def test_the_class_that_scores_highest_stands_for_the_category(
    colours: Classifier, scene: Callable[..., Scene], tmp_path: Path
) -> None:
    data = pictures(scene("blue", (9, 20, 200), cold=square(1, 1)), scene("green", (200, 90, 20), cold=square(1, 1)))
    play(colours, data, {"peaks": peaks((1, 1))}, logs=tmp_path / "logs")
    lines = [json.loads(line) for line in (tmp_path / "logs" / "peaks-0.jsonl").read_text().splitlines()[1:]]
    assert {line["item"]: line["pairs"]["cold"]["target"] for line in lines} == {"blue": 2, "green": 1}
    assert lines[0]["pairs"]["cold"] | {"target": 2} == {
        "target": 2,
        "point": [1, 1],
        "hit": True,
        "difficult": False,
        "equal": {"sigma": 0.09, "point": [1, 1], "hit": True},
    }


def test_the_center_hits_what_is_in_the_middle(colours: Classifier, scene: Callable[..., Scene]) -> None:
    def accuracy(left: int) -> object:
        report = pointing(colours, pictures(scene("a", red=square(left, 22))), ["center"], CLASSES)
        return rows(report.tables[0])["Center"]["All"]

    # Its point is column 31 or 32 of 64 and row 23 or 24.
    assert accuracy(30) == 1
    assert accuracy(32 + 15 - 1) == 1
    assert accuracy(32 + 16) == 0


def speck_and_block(asked: list[int]) -> Method:
    """Maps whose highest pixel is a speck at 2, 2, and whose mass is a block around 46, 32."""

    def attribute(request: AttributionRequest) -> Tensor:
        asked.extend(request.targets)
        maps = torch.zeros(len(request.targets), *request.x.shape[2:])
        maps[:, 2, 2] = 2
        maps[:, 26:39, 40:53] = 1
        return maps

    return Method("Sum", "test", attribute)


def test_sums_of_masks_are_smoothed(colours: Classifier, scene: Callable[..., Scene]) -> None:
    data = pictures(scene("a", red=square(44, 30)))
    method = speck_and_block([])
    assert play(colours, data, {"grad_cam": method}).tables[0].rows[0][1] == 0
    assert play(colours, data, {"extremal": method}).tables[0].rows[0][1] == 1


def test_maps_smoothed_alike_point_elsewhere(colours: Classifier, scene: Callable[..., Scene], tmp_path: Path) -> None:
    data = pictures(scene("a", red=square(44, 30), cold=square(0, 0)), scene("b", red=square(44, 30)))
    report = play(colours, data, {"grad_cam": speck_and_block([])}, logs=tmp_path)
    own, alike = report.tables[0].rows[0], report.tables[1].rows[0]
    assert own[1] == pytest.approx((0 + 1) / 2)  # no red of two, the one cold
    assert own[5] == pytest.approx(1 / 3)
    assert alike == ["Sum", pytest.approx((1 + 0) / 2), None, pytest.approx((1 + 0) / 2), None, pytest.approx(2 / 3)]
    assert report.settings["smoothed_alike"] == 0.09
    pairs = json.loads((tmp_path / "grad_cam-0.jsonl").read_text().splitlines()[1])["pairs"]
    assert pairs["red"]["point"] == [2, 2]
    assert pairs["red"]["equal"] == {"sigma": 0.09, "point": [46, 32], "hit": True}


def without_equal(log: Path) -> None:
    """Make a log as earlier versions wrote it."""
    settings, *records = map(json.loads, log.read_text().splitlines())
    for record in records:
        for pair in record["pairs"].values():
            del pair["equal"]
    log.write_text("".join(json.dumps(line) + "\n" for line in (settings, *records)))


def test_an_earlier_log_has_no_figures_until_it_is_completed(
    colours: Classifier, scene: Callable[..., Scene], tmp_path: Path
) -> None:
    data, asked = pictures(scene("a", red=square(44, 30)), scene("b", red=square(44, 30))), list[int]()
    methods = {name: speck_and_block(asked) for name in ("grad_cam", "extremal")}
    fresh = play(colours, data, methods, logs=tmp_path)
    for name in methods:
        without_equal(tmp_path / f"{name}-0.jsonl")
    asked.clear()
    earlier = play(colours, data, methods, logs=tmp_path)
    assert not asked
    assert earlier.tables[0].rows[0][:6] == fresh.tables[0].rows[0][:6]
    assert earlier.tables[1].rows[0] == ["Sum", *[None] * 5]
    assert earlier.tables[1].rows[1] == fresh.tables[1].rows[1]  # its own smoothing is what all get
    completed = play(colours, data, methods, complete=True, logs=tmp_path)
    assert asked == [0, 0]  # both pictures, of grad_cam alone
    assert completed.tables[1] == fresh.tables[1]
    play(colours, data, methods, complete=True, logs=tmp_path)
    assert asked == [0, 0]
