"""The grid pointing game, by hand and with the default network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from typer import Typer
from typer.testing import CliRunner

from ep_core.cli.evaluate.pointing_commands import grid_command
from ep_core.errors import InvalidInput
from ep_core.evaluation.data.mosaics import assemble, cell_shares, draw_mosaics, find_confident
from ep_core.evaluation.grid import grid
from ep_core.evaluation.reporting.report import EvaluationReport
from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.models import Classifier, Preprocessing

SAMPLES = Path(__file__).parents[4] / "samples"
PHOTOGRAPHS = sorted(SAMPLES.glob("*.jpg"))


def test_shares_by_hand() -> None:
    maps = torch.full((4, 4, 6), -1.0)
    maps[0, 0, 0], maps[0, 3, 5] = 3, 1  # upper left, and one elsewhere
    maps[1, :2, 3:] = 2  # all of the upper right cell
    maps[2, 0, 0] = 1  # nothing in the lower left cell
    # the fourth has no positive part
    assert cell_shares(maps, 2) == [0.75, 1, 0, 0.25]
    assert cell_shares(torch.ones(4, 4, 6), 2) == [0.25] * 4


def test_cells_of_any_size_cover_the_mosaic() -> None:
    cells = [torch.full((1, 3, 30, 30), float(k)) for k in range(9)]
    mosaic = assemble(cells, 3, (32, 32))
    rows = [round(32 * k / 3) for k in range(4)]
    for k in range(9):
        i, j = divmod(k, 3)
        cell = mosaic[:, :, rows[i] : rows[i + 1], rows[j] : rows[j + 1]]
        torch.testing.assert_close(cell, torch.full_like(cell, k))
    assert torch.equal(assemble(cells, 3, (90, 90))[:, :, 30:60, 60:90], cells[5])


def test_mosaics_are_of_different_classes_and_reproducible() -> None:
    confident = {k: [Path(f"{k}-{j}.jpg") for j in range(3)] for k in range(6)}
    drawn = draw_mosaics(confident, n=2, count=40, seed=3)
    assert len(set(drawn)) == 40
    for mosaic in drawn:
        assert len(set(mosaic.classes)) == 4
        assert [path.name.split("-")[0] for path in mosaic.paths] == list(map(str, mosaic.classes))
    assert draw_mosaics(confident, n=2, count=10, seed=3) == drawn[:10]
    assert draw_mosaics(confident, n=2, count=10, seed=4) != drawn[:10]


def test_there_are_no_more_mosaics_than_pictures_give() -> None:
    assert len(draw_mosaics({k: [Path(str(k))] for k in range(4)}, n=2, count=100, seed=0)) == 24
    with pytest.raises(InvalidInput, match="9 confidently recognised pictures of different classes"):
        draw_mosaics({k: [Path(str(k))] for k in range(4)}, n=3, count=1, seed=0)


def test_confident_pictures_are_found_by_class(mobilenet: Classifier) -> None:
    found = find_confident(mobilenet, PHOTOGRAPHS, threshold=0.9)
    assert {mobilenet.labels[k]: [path.stem for path in paths] for k, paths in found.items()} == {
        "goose": ["goose"],
        "school bus": ["school_bus"],
        "pizza": ["pizza"],
    }


def test_the_center_does_as_well_as_chance(mobilenet: Classifier, tmp_path: Path) -> None:
    report = grid(mobilenet, PHOTOGRAPHS, ["center"], count=2, logs=tmp_path)
    row = dict(zip(report.tables[0].columns, report.tables[0].rows[0], strict=True))
    assert row["Share inside"] == pytest.approx(0.25)
    assert row["Uniform"] == 0.25
    assert "5 of 5 photographs" in report.tables[0].note
    assert len(report.settings["mosaics"]) == report.items == 2
    lines = (tmp_path / "center-0.jsonl").read_text().splitlines()
    assert len(lines) == 3
    again = grid(mobilenet, PHOTOGRAPHS, ["center"], count=2, logs=tmp_path)
    assert again.tables == report.tables
    assert (tmp_path / "center-0.jsonl").read_text().splitlines() == lines


def test_grad_cam_does_better_than_chance(mobilenet: Classifier) -> None:
    pytest.importorskip("captum")
    report = grid(mobilenet, PHOTOGRAPHS, ["grad_cam"], count=2)
    share = report.tables[0].rows[0][1]
    assert isinstance(share, float)
    assert share > 0.5


def test_methods_see_the_mosaic_and_all_its_classes(mobilenet: Classifier) -> None:
    seen: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def attribute(request: AttributionRequest) -> Tensor:
        seen.append((tuple(request.x.shape), request.targets))
        return torch.ones(4, *request.x.shape[2:])

    for fit in ("whole", "stretch"):
        grid(mobilenet, PHOTOGRAPHS, ["looks"], count=1, fit=fit, find=lambda _: Method("Looks", "test", attribute))
    assert [shape for shape, _ in seen] == [(1, 3, 448, 448), (1, 3, 224, 224)]
    assert len(set(seen[0][1])) == 4


def test_a_network_that_needs_its_size_says_so() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5))
    model = Classifier(network, preprocessing=Preprocessing((32, 32)))
    with pytest.raises(InvalidInput, match="--fit stretch"):
        grid(model, PHOTOGRAPHS, ["center"], threshold=0)
    with pytest.raises(InvalidInput, match="threshold"):
        grid(model, PHOTOGRAPHS, ["center"], threshold=1, fit="stretch")


def test_the_command_writes_a_report(tmp_path: Path) -> None:
    app = Typer()
    app.command()(grid_command)
    options = ["--methods", "center", "--mosaics", "1", "--seeds", "5", "--out", str(tmp_path), "--device", "cpu"]
    done = CliRunner().invoke(app, [str(SAMPLES), *options])
    assert done.exit_code == 0, done.output
    report = EvaluationReport.model_validate_json((tmp_path / "grid.json").read_text())
    assert report.settings["seeds"] == [5]
    assert (tmp_path / "grid" / "center-5.jsonl").exists()
