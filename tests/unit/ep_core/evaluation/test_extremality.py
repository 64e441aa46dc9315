"""Sweeps beside rivals and restarts: by hand, and a sweep that a rival beats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ep_core import Classifier, ExtremalSpec, explain
from ep_core.errors import InvalidInput
from ep_core.evaluation.data.items import Subject
from ep_core.evaluation.extremality import extremality
from ep_core.evaluation.method_runs import MethodRuns
from ep_core.evaluation.reporting.extremality_tables import Photograph, tables
from ep_core.evaluation.reporting.report import Cell, Table
from ep_core.evaluation.run import Record
from ep_core.pictures.photographs import load
from ep_core.schemas.specs import CompareSpec

from .test_faithfulness import photograph

AREAS = (0.05, 0.3)


def rows(table: Table) -> dict[str, list[Cell]]:
    return {str(row[0]): row[1:] for row in table.rows}


def sweep(scores: list[float], beaten: list[bool]) -> Record:
    return {"original": 10.0, "scores": scores, "beaten": beaten, "extremal": not any(beaten)}


def method(name: str, *scores: list[float]) -> MethodRuns[Subject]:
    """A method whose top areas have these scores, photograph by photograph."""
    found = [(Subject(Path(f"{k}.jpg"), str(k)), {"scores": of_it}) for k, of_it in enumerate(scores)]
    return MethodRuns(name, name, [found])


def test_figures_by_hand() -> None:
    photographs = [
        Photograph(sweep([4.0, 8.0], [False, False]), [{"scores": [4.2, 7.0]}, {"scores": [4.4, 7.6]}]),
        Photograph(sweep([-2.0, 8.0], [True, False]), [{"scores": [-1.0, 8.1]}, {"scores": [-3.0, 8.0]}]),
        Photograph(sweep([5.0, 9.0], [False, False]), []),
    ]
    rivals = [
        method("a", [3.0, 8.009], [-1.0, 9.0], [5.0, 9.0]),  # 0.009 is less than a thousandth of 10
        method("b", [3.0, 7.0], [0.0, 7.0], [5.1, 8.0]),
        MethodRuns[Subject]("c", "c", unavailable="has no layers"),
    ]
    pairs, methods, restarts = tables(photographs, rivals, AREAS)
    assert rows(pairs) == {
        "0.05": [3, pytest.approx(100 / 3), pytest.approx(200 / 3)],
        "0.3": [3, pytest.approx(200 / 3), 100],
        "all pairs": [6, 50, pytest.approx(500 / 6)],
        "whole sweeps": [3, pytest.approx(100 / 3), pytest.approx(200 / 3)],
    }
    assert rows(methods) == {
        "a": [2, pytest.approx(100 / 3), pytest.approx(10), pytest.approx(10), ""],
        "b": [2, pytest.approx(100 / 3), pytest.approx((20 + 1) / 2), pytest.approx(20), ""],
        "c": [None, None, None, None, "has no layers"],
    }
    # Gaps: 0.4 / 4 and 1 / 2; -0.4 / 8 and 0.1 / 8.
    assert rows(restarts) == {
        "0.05": [2, pytest.approx(30), pytest.approx(30), pytest.approx(50), 0],
        "0.3": [2, pytest.approx(-1.875), pytest.approx(-1.875), pytest.approx(1.25), 100],
        "all pairs": [4, pytest.approx((10 + 50 - 5 + 1.25) / 4), pytest.approx(5.625), pytest.approx(50), 50],
    }


def test_a_sweep_that_was_stopped_early_is_beaten(
    spot_model: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gradient of this network is the answer itself, which the sweep's own check doesn't show it here."""
    monkeypatch.setattr("ep_core.methods.base.quick_rivals.QUICK_METHODS", ("center",))
    paths, out = [photograph(tmp_path, 1, 0.5)], tmp_path / "out"
    spec = CompareSpec(methods=("center", "gradient", "grad_cam"), areas=(0.05,), iterations=1)
    report = extremality(spot_model, paths, spec, restarts=0, out=out)
    pairs, methods = report.tables
    assert rows(pairs)["all pairs"] == [1, 0, 100]
    assert rows(pairs)["whole sweeps"] == [1, 0, 100]
    won = rows(methods)
    assert won["Gradient"][:2] == [1, 100]
    assert float(won["Gradient"][2] or 0) > 5
    assert "layer" in str(won["Grad-CAM"][-1])


@pytest.mark.slow
def test_restarts_are_longer_and_a_second_run_goes_on(spot_model: Classifier, tmp_path: Path) -> None:
    paths, out = [photograph(tmp_path, 1, 0.5), photograph(tmp_path, 1, 0.7)], tmp_path / "out"
    spec = CompareSpec(methods=("center",), areas=AREAS, iterations=1)
    first = extremality(spot_model, paths, spec, restarts=1, restarted=1, out=out)
    asked = ExtremalSpec(areas=AREAS, iterations=3, alternatives=0, contrast=False)
    longer = explain(spot_model, spot_model.preprocess(load(paths[0]))[0], asked)
    _, restart = map(json.loads, (out / "extremality" / "restarts.jsonl").read_text().splitlines())
    assert restart["scores"] == pytest.approx([point.preserve for point in longer.curve])
    assert rows(first.tables[2])["all pairs"][0] == 2  # two areas of one photograph
    logs = {path.name: path.read_text() for path in (out / "extremality").iterdir()}
    assert set(logs) == {"sweeps-0.jsonl", "center-0.jsonl", "restarts.jsonl"}
    assert extremality(spot_model, paths, spec, restarts=1, restarted=1, out=out) == first
    more = extremality(spot_model, paths, spec, restarts=2, restarted=1, out=out)
    grown = {path.name: path.read_text() for path in (out / "extremality").iterdir()}
    assert grown.pop("restarts.jsonl").startswith(logs.pop("restarts.jsonl"))
    assert grown == logs
    assert float(rows(more.tables[2])["0.05"][1] or 0) >= float(rows(first.tables[2])["0.05"][1] or 0)


def test_extremal_is_no_rival_of_itself(spot_model: Classifier, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="leave it out"):
        extremality(spot_model, [tmp_path / "a.jpg"], CompareSpec(methods=("extremal",)), out=tmp_path / "out")
