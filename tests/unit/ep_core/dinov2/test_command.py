"""`ep bench dinov2`: the command that it ends with is one. The work itself needs a wheel, COCO and onnx."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ep_core.bench.dinov2 import make
from ep_core.cli.main import app


def test_the_command_that_it_names_has_these_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make.Made(
        labels=["animal", "vehicle"],
        fitted_on=10,
        held_out=4,
        accuracy=0.5,
        balanced=0.5,
        commonest=0.25,
        apart=None,
    )
    monkeypatch.setattr(make, "make_classifier", lambda *_: made)
    done = CliRunner().invoke(app, ["bench", "dinov2", str(tmp_path / "wheel"), str(tmp_path), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    command = shlex.split(done.stdout.splitlines()[-1])
    assert command[:2] == ["ep", "explain"]
    said = CliRunner().invoke(app, ["explain", "--help"]).stdout
    options = [word for word in command if word.startswith("--")]
    assert options == ["--models-file", "--model"]
    assert all(option in said for option in options)
