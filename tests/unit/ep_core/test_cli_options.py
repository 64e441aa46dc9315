"""Options of `ep`, made from specs: every field has one, and what is given there arrives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
from typer import Typer
from typer.main import get_command
from typer.testing import CliRunner, Result

from ep_core.cli.from_spec import Fields, spec_command
from ep_core.cli.main import app
from ep_core.schemas.specs import CommonSpec, ExtremalSpec
from ep_core.schemas.tasks import TASKS

SAMPLES = Path(__file__).parents[3] / "samples"
COMMANDS = {
    "extremal": "explain",
    "compare": "compare",
    "channels": "channels",
    "class_channels": "class-channels",
}
OWN = {"image", "images", "out", "as_json", "models_file", "device", "help", "target_image", "target_mask", "html"}
GIVEN: dict[str, tuple[str, Any]] = {
    "model": ("-mresnet18", "resnet18"),
    "target": ("--target=99", 99),
    "variant": ("--variant=delete", "delete"),
    "threshold": ("--threshold=0.5", 0.5),
    "iterations": ("--iterations=7", 7),
    "fit": ("--fit=stretch", "stretch"),
    "white_level": ("--white-level=4095", 4095),
    "areas": ("--areas=0.4, 0.1", (0.1, 0.4)),
    "perturbation": ("--perturbation=fade", "fade"),
    "preset": ("--preset=paper", "paper"),
    "seed": ("--seed=3", 3),
    "independent": ("--independent", True),
    "sigma_max": ("--sigma-max=12.5", 12.5),
    "pyramid_levels": ("--pyramid-levels=4", 4),
    "check_extremality": ("--no-check", False),
    "alternatives": ("--alternatives=2", 2),
    "contrast": ("--no-contrast", False),
    "methods": ("--methods=rise,center", ("rise", "center")),
    "layer": ("-lfeatures.13", "features.13"),
    "samples": ("--samples=10", 10),
    "invert": ("--no-invert", False),
    "top": ("--top=3", 3),
}
"""An argument for each field, and what it stands for."""
CHANNELS = {"areas": ("--areas=10,5", (5, 10))}
ELSEWHERE: dict[str, dict[str, tuple[str, Any]]] = {
    "channels": CHANNELS | {"invert": ("--invert", True)},
    "class_channels": CHANNELS,
}
SPECS = {name: task.spec for name, task in TASKS.items()}
FIELDS = [(task, field) for task, spec in SPECS.items() for field in spec.model_fields if field != "task"]


def run(spec: Any, *arguments: str) -> tuple[list[CommonSpec], Result]:
    """Return the specs that a command gets, and what became of it."""
    got = []

    def command(*, spec: CommonSpec) -> None:
        got.append(spec)

    command.__annotations__["spec"] = spec
    alone = Typer()
    alone.command()(spec_command("alone")(command))
    return got, CliRunner().invoke(alone, arguments, env={"COLUMNS": "200"})


@pytest.mark.parametrize("task", SPECS)
def test_every_field_of_a_spec_is_an_option_of_its_command(task: str) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    options = {parameter.name for parameter in commands[COMMANDS[task]].params} - OWN
    assert options == SPECS[task].model_fields.keys() - {"task"}


@pytest.mark.parametrize(("task", "field"), FIELDS)
def test_what_an_option_is_given_arrives_and_all_else_stays(task: str, field: str) -> None:
    argument, value = (GIVEN | ELSEWHERE.get(task, {}))[field]
    default = SPECS[task]()
    assert getattr(default, field) != value
    (spec,), _ = run(SPECS[task], argument)
    assert spec == default.model_copy(update={field: value})


@pytest.mark.parametrize("task", SPECS)
def test_without_options_the_spec_is_the_default(task: str) -> None:
    assert run(SPECS[task])[0] == [SPECS[task]()]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("--target=3 instead of brown bear", {"class": 3, "instead_of": "brown bear"}),
        ("--target=goose instead of 7", {"class": "goose", "instead_of": 7}),
        ("--target=text: a bus", {"text": "a bus", "against": ()}),
        (
            "--target=text:a bus in snow against a truck; a car",
            {"text": "a bus in snow", "against": ("a truck", "a car")},
        ),
        ("--target=dog at 40, 60, 320, 400", {"box": (40, 60, 320, 400), "label": "dog"}),
        ("--target=at 40,60.5,320,400", {"box": (40, 60.5, 320, 400), "label": None}),
        ("--target=3 at 40, 60, 320, 400", {"box": (40, 60, 320, 400), "label": 3}),
        ("--target=man at work at 1, 2, 3, 4", {"box": (1, 2, 3, 4), "label": "man at work"}),
        ("--target=dog within -4, 60, 320, 400", {"segment": "dog", "within": (-4, 60, 320, 400)}),
        ("--target=3 within its pixels", {"segment": 3, "within": None}),
        ("--target=dog within target_mask", {"segment": "dog", "within": "target_mask"}),
    ],
)
def test_a_contrast_a_text_and_a_place_are_written_as_people_do(argument: str, value: dict[str, Any]) -> None:
    assert run(ExtremalSpec, argument)[0][0].target.model_dump() == value


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("-tgoose", "goose"),
        ("--target=-1", -1),
        ("--target=²", "²"),
        ("--target=1_0", "1_0"),
        ("--target=at 1, 2, 3", "at 1, 2, 3"),
        ("--target=dog within reach", "dog within reach"),
    ],
)
def test_a_target_is_an_index_or_a_label(argument: str, value: int | str) -> None:
    assert run(ExtremalSpec, argument)[0][0].target == value


@pytest.mark.parametrize("task", SPECS)
def test_help_speaks_of_the_terminal(task: str) -> None:
    said = " ".join(run(SPECS[task], "--help")[1].output.replace("│", " ").split())
    assert "null" not in said
    assert "/v1/" not in said
    assert "[preserve|delete|hybrid]" in said
    assert "At least 1, at most 10000." in said
    assert "More than 0, at most 10." in said
    assert "Separated by commas" in said


def test_a_mistake_is_told_by_its_option() -> None:
    got, done = run(ExtremalSpec, "--pyramid-levels=1", "--preset=slow", "--areas=a")
    assert (got, done.exit_code) == ([], 2)
    assert done.stderr.splitlines() == [
        "ep alone: --areas: 'a' is not a number",
        "ep alone: --preset: 'slow' is none of 'fast' or 'paper'",
        "ep alone: --pyramid-levels: 1 is too small: it must be at least 2",
    ]


def test_a_command_may_ask_for_some_fields_with_defaults_of_its_own() -> None:
    asked = Annotated[ExtremalSpec, Fields("areas", "seed", defaults={"areas": (0.3,)}, texts={"seed": "Draws."})]
    assert run(asked, "--seed=2")[0] == [ExtremalSpec(areas=(0.3,), seed=2)]
    assert run(asked, "--preset=paper")[1].exit_code == 2
    said = run(asked, "--help")[1].output
    assert "Draws." in said
    assert "[default: 0.3]" in said


@pytest.mark.slow
def test_a_comparison_takes_all_that_a_sweep_takes(tmp_path: Path) -> None:
    given = {
        "threshold": 0.9,
        "iterations": 2,
        "independent": True,
        "sigma_max": 9.0,
        "pyramid_levels": 4,
    }
    options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not True]
    asked = ("compare", str(SAMPLES / "goose.jpg"), "--methods=center,extremal", "--areas=0.2", "--independent")
    done = CliRunner().invoke(app, [*asked, *options, "--device=cpu", f"--out={tmp_path}"])
    assert done.exit_code == 0, done.output
    params = json.loads((tmp_path / "result.json").read_text())["params"]
    assert {name: params[name] for name in given} == given
