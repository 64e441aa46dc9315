"""`ep --version`, `ep classify`, documents on standard output, and completion in a shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from ep_core.cli.main import app
from ep_core.cli.verdicts import shown_probability
from ep_core.version import __version__
from tests.networks import model_list

SAMPLES = Path(__file__).parents[3] / "samples"
QUICK = {
    "explain": ("--preset=paper", "--iterations=2", "--areas=20%", "--no-check"),
    "compare": ("--methods=center", "--areas=20%"),
    "channels": ("--layer=3", "--areas=2,8", "--iterations=2"),
    "class-channels": ("--layer=3", "--areas=2,8", "--iterations=2", "--threshold=0.01"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("json")
    (folder / "models.toml").write_text(model_list("plain", "fixed"))
    (folder / "broken.jpg").write_text("no picture")
    for name in ("goose", "pizza"):
        with Image.open(SAMPLES / f"{name}.jpg") as photograph:
            photograph.resize((48, 40)).save(folder / f"{name}.png")
    return folder


def ep(folder: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--models-file", str(folder / "models.toml"), "--device=cpu"])


def test_the_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"ep {__version__}\n")


@pytest.mark.parametrize("command", QUICK)
def test_a_report_is_all_of_standard_output(folder: Path, tmp_path: Path, command: str) -> None:
    out = ("--out", tmp_path / "out", "--model=plain")
    done = ep(folder, command, folder / "goose.png", *QUICK[command], *out, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "result.json").read_text())
    assert "result.json" in done.stderr
    assert done.stdout.isascii()


def test_top_classes_in_words(folder: Path) -> None:
    done = ep(folder, "classify", folder / "goose.png", "--model=plain", "--count=2")
    assert done.exit_code == 0, done.output
    said = [line.split() for line in done.stdout.splitlines()]
    assert said[0][-1] == "plain"
    assert said[1] == ["class", "index", "score", "probability"]
    assert len(said) == 2 + 2
    assert said[2][:2] == ["a", "0"]
    assert float(said[2][3]) > float(said[3][3])


def test_top_classes_as_json(folder: Path) -> None:
    single = json.loads(ep(folder, "classify", folder / "goose.png", "--model=plain", "--json").stdout)
    assert (single["file"], single["model"]) == (str(folder / "goose.png"), "plain")
    assert single["classes"][0]["index"] == 0
    assert len(single["classes"]) == 3
    assert single["warnings"] == []

    several = ep(folder, "classify", folder, "--model=plain", "--json")
    assert several.exit_code == 1
    assert [one["file"] for one in json.loads(several.stdout)] == [
        str(folder / f"{name}.png") for name in ("goose", "pizza")
    ]
    assert json.loads(several.stdout)[0] == single
    assert f"ep classify: {folder / 'broken.jpg'}: the bytes aren't a picture" in several.stderr


def test_a_single_file_that_cannot_be_classified(folder: Path) -> None:
    done = ep(folder, "classify", folder / "broken.jpg", "--model=plain", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (1, [])


def test_models_as_json(folder: Path) -> None:
    def asked(*arguments: str) -> Any:
        return json.loads(ep(folder, "models", *arguments, "--json").stdout)

    cards = asked()
    assert [card["name"] for card in cards] == ["plain", "fixed"]
    assert (cards[0]["classes"], cards[0]["input_size"]) == (3, [32, 32])
    layers = asked("--layers", "plain")
    assert [(layer["name"], layer["channels"]) for layer in layers][:1] == [("0", 8)]
    ok, fault = asked("--check")
    assert ok == {"name": "plain", "fault": None}
    assert fault["name"] == "fixed"
    assert fault["fault"]


def test_a_probability_that_is_none_is_a_dash() -> None:
    assert (shown_probability(0.8765), shown_probability(None)) == ("0.876", "–")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("ep cl", ["classify", "class-channels"]),
        ("ep explain --preset p", ["paper"]),
        ("ep explain --model ", ["plain", "fixed"]),
        ("ep compare -m pl", ["plain"]),
        ("ep models --layers f", ["fixed"]),
    ],
)
def test_completion(folder: Path, words: str, completed: list[str]) -> None:
    env = {
        "EP_MODELS_FILE": str(folder / "models.toml"),
        "_EP_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = CliRunner().invoke(app, [], env=env, prog_name="ep")
    assert done.stdout.split() == completed


def test_a_model_list_that_cannot_be_read_completes_nothing(folder: Path) -> None:
    env = {"EP_MODELS_FILE": str(folder / "broken.jpg"), "_EP_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
    done = CliRunner().invoke(app, [], env={**env, "COMP_WORDS": "ep explain --model "}, prog_name="ep")
    assert (done.exit_code, done.stdout.split(), done.stderr) == (0, [], "")
