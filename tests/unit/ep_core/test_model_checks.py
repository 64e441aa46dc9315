"""`ep models --check`: a line for each model, and an exit code for scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ep_core.cli.main import app
from tests.networks import model_list


def models(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["models", *map(str, arguments)])


@pytest.fixture
def models_file(tmp_path: Path) -> Path:
    path = tmp_path / "models.toml"
    gone = model_list("gone").replace("tests.networks", "no_such_package")
    path.write_text(model_list("plain", "half", "rounded") + gone)
    return path


def test_each_model_of_the_list_has_a_line(models_file: Path) -> None:
    done = models("--check", "--models-file", models_file, "--device", "cpu")
    assert done.exit_code == 1
    plain, half, rounded, gone = done.stdout.splitlines()
    assert (plain, half) == ("plain: ok", "half: ok")
    assert rounded.startswith("rounded: model 'rounded' can't be explained: its gradient is zero everywhere")
    assert gone.startswith("gone: model 'gone': the network can't be made: ModuleNotFoundError")


def test_named_models_alone_are_checked(models_file: Path) -> None:
    done = models("--check", "half", "plain", "--models-file", models_file, "--device", "cpu")
    assert (done.exit_code, done.stdout.splitlines()) == (0, ["half: ok", "plain: ok"])
    done = models("--check", "plain", "plane", "--models-file", models_file, "--device", "cpu")
    assert done.exit_code == 1
    assert "did you mean 'plain'" in done.stdout.splitlines()[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--check"], "name the models to check, or give a model list"),
        (["mobilenet_v2"], "names of models go with --check"),
        (["--check", "mobilenet_v2", "--device", "gpu"], "use cpu, cuda, cuda:N"),
    ],
)
def test_mistakes_are_explained_in_a_line(arguments: list[str], said: str) -> None:
    done = models(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
