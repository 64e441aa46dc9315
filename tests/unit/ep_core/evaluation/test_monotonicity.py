"""Eq. 8 over photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ep_core.evaluation.data.items import settings_of, subjects
from ep_core.evaluation.monotonicity import monotonicity
from ep_core.evaluation.reporting.report import Cell, EvaluationReport
from ep_core.evaluation.run import ItemLog
from ep_core.models import Classifier
from ep_core.schemas.specs import ExtremalSpec

AREAS = (0.1, 0.2, 0.4)


def photographs(folder: Path, count: int) -> list[Path]:
    """Write pictures that are all detail, of falling contrast."""
    rows, columns = np.indices((168, 168))
    paths = []
    for k in range(count):
        board = 127 + (120 - 10 * k) * (2.0 * ((rows + columns) % 2) - 1)
        paths.append(folder / f"{k}.png")
        Image.fromarray(np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8)).save(paths[-1])
    return paths


def row(report: EvaluationReport, preset: str) -> dict[str, Cell]:
    (table,) = report.tables
    (found,) = (one for one in table.rows if one[0] == preset)
    return dict(zip(table.columns, found, strict=True))


def test_figures_by_hand(spot_model: Classifier, tmp_path: Path) -> None:
    paths, spec = photographs(tmp_path, 4), ExtremalSpec(areas=AREAS)
    log = ItemLog(tmp_path / "out" / "monotonicity" / "fast-0.jsonl", settings_of(spot_model, spec))
    known = [((1, 2, 3), 0.4, True), ((2, 1, 3), 0.4, False), ((3, 4, 5), 0.1, True), ((1, 2, 1), None, False)]
    for subject, (scores, optimal, monotonic) in zip(subjects(paths), known, strict=True):
        points = [list(pair) for pair in zip(AREAS, scores, strict=True)]
        record = {"label": "", "scores": points, "optimal_area": optimal, "monotonic": monotonic, "seconds": 1}
        log.add(subject.key, record)
    found = row(monotonicity(spot_model, paths, spec, ["fast"], out=tmp_path / "out"), "fast")
    assert found == {
        "Preset": "fast",
        "Images": 4,
        "Holds (%)": 50,
        "Two below a*": 3,  # not the third, whose a* is the smallest area
        "Holds there (%)": pytest.approx(100 / 3),
        "Steps up (%)": 50,  # up; down; up and down
        "a* reached": 3,
        "Mean a*": pytest.approx(0.3),
    }


def test_the_paper_stands_beside_it(spot_model: Classifier, tmp_path: Path) -> None:
    spec = ExtremalSpec(areas=(0.3,), iterations=1)
    report = monotonicity(spot_model, photographs(tmp_path, 1), spec, ["fast"], out=tmp_path / "out")
    assert row(report, "paper, VGG16")["Holds (%)"] == 98.45


@pytest.mark.slow
def test_presets_are_measured_apart_and_a_second_run_does_nothing(spot_model: Classifier, tmp_path: Path) -> None:
    paths, out = photographs(tmp_path, 2), tmp_path / "out"
    spec = ExtremalSpec(areas=(0.03, 0.06, 0.3), perturbation="fade", iterations=3)
    first = monotonicity(spot_model, paths, spec, ["fast", "paper"], out=out)
    fast = row(first, "fast")
    assert fast["Images"] == fast["Two below a*"] == 2
    assert fast["Holds (%)"] == 100  # more of the spot always scores more
    logs = {path.name: path.read_bytes() for path in (out / "monotonicity").iterdir()}
    assert set(logs) == {"fast-0.jsonl", "paper-0.jsonl"}
    assert monotonicity(spot_model, paths, spec, ["fast", "paper"], out=out) == first
    assert {path.name: path.read_bytes() for path in (out / "monotonicity").iterdir()} == logs
