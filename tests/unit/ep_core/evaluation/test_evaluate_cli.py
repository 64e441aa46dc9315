"""`ep evaluate`, each command for a moment: on a tiny network, and once on the default one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ep_core.cli.evaluate.commands import evaluate_app
from tests.networks import model_list

GOOSE = Path(__file__).parents[4] / "samples" / "goose.jpg"
QUICK = ("--areas", "0.5", "--iterations", "1")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(evaluate_app, [*map(str, arguments), "--device", "cpu"])


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("faithfulness", GOOSE, "--methods", "center,gradient", "--areas", "0.5"), "Areas under the curves"),
        (("monotonicity", GOOSE, *QUICK), "Eq. 8 below a*"),
        (("stability", GOOSE, "--seeds", "0,1", *QUICK), "fade to the mean"),
        (("extremality", GOOSE, "--methods", "center", "--restarts", "1", *QUICK), "No rival scores higher"),
        (("sanity", GOOSE, "--methods", "center", "--depths", "2"), "Rank correlation"),
        (("growth", GOOSE, *QUICK), "growth/goose-"),
        (("curves", GOOSE, *QUICK), "curves/goose-"),
    ],
)
def test_a_command_writes_its_report_and_a_second_run_does_no_work(
    tmp_path: Path, arguments: tuple[str | Path, ...], said: str
) -> None:
    models = tmp_path / "models.toml"
    models.write_text(model_list("plain"))
    arguments = (*arguments, "--model", "plain", "--models-file", models, "--out", tmp_path)
    first = run(*arguments)
    assert first.exit_code == 0, first.output
    assert said in first.output
    report = json.loads((tmp_path / f"{arguments[0]}.json").read_text())
    assert report["items"] == 1
    assert report["settings"]["weights_digest"].startswith("sha256:")
    assert all((tmp_path / figure["file"]).is_file() for figure in report["figures"])
    before = contents(tmp_path)
    assert run(*arguments).exit_code == 0
    assert contents(tmp_path) == before


def test_smooth_and_report_make_a_page(tmp_path: Path) -> None:
    made = CliRunner().invoke(evaluate_app, ["smooth", "--out", str(tmp_path)])
    assert made.exit_code == 0, made.output
    page = CliRunner().invoke(evaluate_app, ["report", str(tmp_path)])
    assert page.exit_code == 0, page.output
    assert "Operators for smooth masks" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("faithfulness", GOOSE, "--methods", "grad_cm"), "did you mean grad_cam"),
        (("faithfulness", GOOSE, "--seeds", "0,one"), "seeds must be whole numbers"),
        (("faithfulness", GOOSE, "--areas", "1.5"), "1.5 is not a share of the image"),
        (("monotonicity", GOOSE, "--presets", "slow"), "presets are fast and paper"),
        (("stability", GOOSE, "--seeds", "3"), "seeds must be two at least"),
        (("extremality", GOOSE, "--methods", "center,extremal"), "leave it out"),
        (("growth", GOOSE, "--preset", "slow"), "'fast' or 'paper'"),
        (("curves", GOOSE, "--model", "mobilenet"), "mobilenet_v2"),
    ],
)
def test_mistakes_are_explained_in_a_line(tmp_path: Path, arguments: tuple[str | Path, ...], said: str) -> None:
    done = run(*arguments, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_other_settings_in_the_same_folder_are_refused(tmp_path: Path) -> None:
    for samples, code in (("1", 0), ("2", 2)):
        done = run(
            "faithfulness", GOOSE, "--methods", "center", "--areas", "0.5", "--samples", samples, "--out", tmp_path
        )
        assert done.exit_code == code
    assert "other settings (samples)" in " ".join(done.output.split())
