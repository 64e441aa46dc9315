"""Versions of a model list's entries: each changes with what its model is loaded from, and with nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ep_core.errors import InvalidInput
from ep_core.models.sources.list_versions import ListVersions

LIST = """
[models.one]
torchvision = "resnet18"
file = "one.pth"
labels = "labels.txt"
kwargs = { num_classes = 2 }

[models.two]
huggingface = "folder"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "one.pth").write_bytes(b"weights")
    (tmp_path / "labels.txt").write_text("a\nb\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "config.json").write_text("{}")
    listed = tmp_path / "models.toml"
    listed.write_text(LIST)
    return listed


def replace(path: Path, text: str) -> None:
    """Put another file in a file's place, as a mounted ConfigMap does."""
    new = path.with_name("new")
    new.write_text(text)
    os.replace(new, path)


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("one.pth", "trained", {"one"}),
        ("labels.txt", "a\nc\n", {"one"}),
        ("folder/config.json", '{"a": 1}', {"two"}),
        ("folder/model.safetensors", "more", {"two"}),
        ("models.toml", LIST.replace("[models.two]", '[models.two]\ndescription = "x"'), {"two"}),
        ("models.toml", LIST + '[models.three]\ntimm = "resnet18"\n', {"three"}),
        ("models.toml", LIST.partition("[models.two]")[0], {"two"}),
        ("models.toml", LIST + "# a remark\n", set()),
        ("beside.txt", "no model's", set()),
    ],
)
def test_a_change_is_that_of_its_models(path: Path, file: str, text: str, names: set[str]) -> None:
    versions = ListVersions(path)
    before = versions.now()
    assert versions.now() is before
    replace(path.parent / file, text)
    now = versions.now()
    assert {name for name in [*before, *now] if before.get(name) != now.get(name)} == names


def test_a_wrong_list_is_said_once_and_the_last_versions_stay(path: Path) -> None:
    versions = ListVersions(path)
    before = versions.now()
    replace(path, "[models.one]\n")
    with pytest.raises(InvalidInput, match="one"):
        versions.now()
    assert versions.now() is before
    replace(path, LIST)
    assert versions.now() == before
