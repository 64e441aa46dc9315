"""Photographs that a command line names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ep_core.errors import InvalidInput
from ep_core.pictures.photographs import named_photographs

FILES = (
    "a.jpg", "notes.txt", "photos/b.PNG", "photos/deeper/c.webp", "photos/.hidden.jpg", "photos/.git/d.jpg",
    "photos/b-explained/result.json", "photos/b-explained/overlays/0.1.png", "out/index.html", "out/x/masks/0.1.png",
    "[1].jpg",
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["photos", "a.jpg"], ["photos/b.PNG", "photos/deeper/c.webp", "a.jpg"]),
        (["notes.txt"], ["notes.txt"]),
        (["*.jpg"], ["[1].jpg", "a.jpg"]),
        (["[1].jpg"], ["[1].jpg"]),
        (["photos/**/*.webp", "phot*"], ["photos/deeper/c.webp", "photos/b.PNG"]),
        (["a.jpg", "./a.jpg", "*.jpg"], ["a.jpg", "[1].jpg"]),
        (["photos/b-explained/overlays/0.1.png"], ["photos/b-explained/overlays/0.1.png"]),
    ],
)
def test_files_folders_and_patterns(here: Path, names: list[str], found: list[str]) -> None:
    assert [str(path) for path in named_photographs(names)] == found


def test_results_are_no_photographs(here: Path) -> None:
    found = [str(path) for path in named_photographs(["."], beside=Path("out"))]
    assert found == ["[1].jpg", "a.jpg", "photos/b.PNG", "photos/deeper/c.webp"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing.jpg", "no such file or folder: nothing.jpg"),
        ("*.tif", r"no such file or folder: \*.tif"),
        ("empty", "no image files in empty"),
    ],
)
def test_a_name_that_stands_for_nothing_is_an_error(here: Path, name: str, said: str) -> None:
    (here / "empty").mkdir()
    with pytest.raises(InvalidInput, match=f"^{said}$"):
        named_photographs(["a.jpg", name])


def test_a_link_to_a_file_is_the_same_image(here: Path) -> None:
    os.symlink(here / "a.jpg", here / "photos" / "z.jpg")
    assert [str(path) for path in named_photographs(["photos", "a.jpg"])][-1] == "photos/z.jpg"
