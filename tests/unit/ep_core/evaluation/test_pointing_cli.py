"""`ep evaluate pointing`: its report, and its messages of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from ep_core.cli.evaluate.pointing_commands import pointing_command
from ep_core.evaluation.reporting.report import EvaluationReport

SAMPLES = Path(__file__).parents[4] / "samples"


def evaluate(*arguments: object) -> tuple[int, str]:
    app = Typer()
    app.command()(pointing_command)
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_the_command_writes_a_report(tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text("image,label,left,top,right,bottom\ngoose.jpg,goose,0,0,9999,9999\npizza.jpg,pizza,0,0,3,3\n")
    data = ("--boxes", table, "--box-images", SAMPLES, "--out", tmp_path / "out", "--device", "cpu")
    code, printed = evaluate(*data, "--methods", "center", "--areas", "0.1,0.2")
    assert code == 0, printed
    assert "Center" in printed
    report = EvaluationReport.model_validate_json((tmp_path / "out" / "pointing.json").read_text())
    assert report.tables[0].rows[0][1] == 0.5
    assert report.settings["areas"] == [0.1, 0.2]
    assert (tmp_path / "out" / "pointing" / "center-0.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name one data set"),
        (["--voc", "x", "--boxes", "y", "--box-images", "z"], "name one data set"),
        (["--boxes", "y"], "belong together"),
        (["--coco-images", "x"], "give --coco-annotations for each"),
        (["--voc", "x"], "VOCdevkit/VOC2007"),
    ],
)
def test_the_command_says_which_data_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, printed = evaluate(*arguments)
    assert code == 2
    assert said in printed
