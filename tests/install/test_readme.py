"""Statements of the README that must stay true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from ep_core.schemas.specs import ExtremalSpec
from service.settings import ApiSettings
from worker.settings import SharedSettings, WorkerSettings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("settings", [SharedSettings, ApiSettings, WorkerSettings])
def test_every_setting_is_in_the_table_with_its_default(settings: type[BaseSettings]) -> None:
    for name, field in settings.model_fields.items():
        row = re.search(rf"^\| `EP_{name.upper()}` \| (.*?) \|.*\| (.*?) \|$", README, re.MULTILINE)
        assert row, f"EP_{name.upper()} is missing"
        default = "" if field.default is None else f"`{str(field.default).replace('False', 'false')}`"
        assert row.group(1).strip() == default
        assert row.group(2) == field.description


def test_every_parameter_is_named() -> None:
    assert all(f"`{name}`" in README for name in ExtremalSpec.model_fields if name != "task")


def test_linked_files_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert all((ROOT / link).exists() for link in links)


def test_the_table_of_other_libraries_is_about_the_pinned_versions() -> None:
    """A new version is read about before it is pinned: cells may have become wrong."""
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    (head,) = re.findall(r"^\| \| here \|(.*)\|$", README, re.MULTILINE)
    named = re.findall(r"([a-z-]+) ([\d.]+\d)", head)
    assert [name for name, _ in named] == ["captum", "grad-cam", "torchray"]
    assert {name: version for name, version in named if pins[name] != version} == {}
