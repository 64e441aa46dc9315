"""constraints.txt pins what pyproject.toml asks for."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT, CLIENT = (
    tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"] for folder in (".", "clients/python")
)


def pins() -> dict[str, Version]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines())
    split = [line.split("==") for line in lines if line]
    return {canonicalize_name(name): Version(version) for name, version in split}


def direct_dependencies() -> list[Requirement]:
    projects = (PROJECT, CLIENT)
    lists = [
        one for project in projects for one in (project["dependencies"], *project["optional-dependencies"].values())
    ]
    requirements = {line: Requirement(line) for lines in lists for line in lines}
    return [requirement for requirement in requirements.values() if requirement.name != PROJECT["name"]]


@pytest.mark.parametrize("requirement", direct_dependencies(), ids=str)
def test_every_direct_dependency_has_a_pin_in_its_range(requirement: Requirement) -> None:
    pin = pins().get(canonicalize_name(requirement.name))
    assert pin is not None, f"constraints.txt has no pin for {requirement.name}"
    assert pin in requirement.specifier


def test_each_name_is_pinned_once_and_no_address_is_written_down() -> None:
    text = (ROOT / "constraints.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(pins()) == len(lines)
    assert "://" not in text
    assert " @ " not in text
