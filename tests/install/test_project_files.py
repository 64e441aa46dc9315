"""The files that a stranger looks for say what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

from ep_core import __version__

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
PACKAGES = PYPROJECT["tool"]["importlinter"]["root_packages"]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
FORMS = sorted(set((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) - {ROOT / ".github/ISSUE_TEMPLATE/config.yml"})
PAGES = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/adapters.md"]
PAGES += [
    "docs/clients.md",
    "clients/python/README.md",
    "docs/kserve.md",
    "docs/datasets.md",
    "docs/agents.md",
    "clients/typescript/README.md",
]


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == __version__
    assert citation["version"] == __version__


def test_the_citation_has_what_its_format_asks_for_and_names_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert all(citation[key] for key in ("message", "title", "authors"))
    (paper,) = citation["references"]
    assert paper["title"] == "Understanding Deep Networks via Extremal Perturbations and Smooth Masks"
    assert [author["family-names"] for author in paper["authors"]] == ["Fong", "Patrick", "Vedaldi"]
    assert paper["year"] == 2019


def test_the_licence_is_the_same_everywhere() -> None:
    (file,) = PROJECT["license-files"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["license"] == citation["license"] == "Apache-2.0"
    lines = [line.strip() for line in (ROOT / file).read_text().splitlines() if line.strip()]
    assert lines[:2] == ["Apache License", "Version 2.0, January 2004"]


def test_the_changelog_has_the_current_version_below_what_is_to_come() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    matches = [re.fullmatch(r"\[(\S+)\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:]]
    versions = [Version(match[1]) for match in matches if match]
    assert len(versions) == len(headings) - 1
    assert versions[0] == Version(__version__)
    assert versions == sorted(versions, reverse=True)


def test_the_architecture_names_every_folder_of_the_packages_and_none_that_is_not_there() -> None:
    named = re.findall(r"^(\w[\w/]*/) +\S", ARCHITECTURE, re.MULTILINE)
    there = {
        f"{init.parent.relative_to(ROOT)}/" for package in PACKAGES for init in (ROOT / package).rglob("__init__.py")
    }
    assert there - set(named) == set()
    assert [name for name in named if not (ROOT / name).is_dir()] == []
    assert len(named) == len(set(named))


def test_the_architecture_shows_the_rooms_as_their_contract_has_them() -> None:
    (contract,) = [
        one for one in PYPROJECT["tool"]["importlinter"]["contracts"] if one.get("containers") == ["ep_core"]
    ]
    section = ARCHITECTURE.partition("## The engine's rooms")[2]
    block = re.search(r"```text\n(.*?)```", section, re.DOTALL)
    assert block is not None
    assert block[1].splitlines() == contract["layers"]


def test_the_requests_way_goes_through_five_functions_that_are_there() -> None:
    steps = re.findall(r"^\d\. `([\w/]+\.py)`, `(\w+)`", ARCHITECTURE, re.MULTILINE)
    assert len(steps) == 5
    for file, function in steps:
        assert re.search(rf"\bdef {function}\(", (ROOT / file).read_text()), f"{file} has no {function}"


@pytest.mark.parametrize("page", PAGES)
def test_linked_files_exist(page: str) -> None:
    path = ROOT / page
    links = [link for link in re.findall(r"\]\(([^)#]+)", path.read_text()) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_marked_as_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
    assert "py.typed" in PYPROJECT["tool"]["setuptools"]["package-data"][package]


def test_a_commit_is_checked_by_what_make_check_runs() -> None:
    check = re.search(r"^check: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert check is not None
    made = check[1].replace("$(BIN)", ".venv/bin").replace("$(DENO)", "DENO_NO_UPDATE_CHECK=1 .venv/bin/deno")
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    for hook in local["hooks"]:
        command = hook["entry"].removeprefix("env ")
        assert command in made, f"{hook['id']}: make check doesn't run {command}"


@pytest.mark.parametrize("form", FORMS, ids=lambda one: one.stem)
def test_the_forms_of_issues_have_what_github_asks_for(form: Path) -> None:
    held = yaml.safe_load(form.read_text())
    assert held["name"]
    assert held["description"]
    fields = [one for one in held["body"] if one["type"] != "markdown"]
    assert all(one["attributes"]["label"] for one in fields)
    assert len({one["id"] for one in fields}) == len(fields)
