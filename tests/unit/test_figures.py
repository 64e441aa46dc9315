"""Figures of README and docs: what they quote (`make figures ARGS=--check`), and how old each is (`--ages`)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from docs import ages
from docs.quoted import FIGURES, TEXTS, quoted, rewrite
from docs.recorded import TABLES, recorded

BEAR = {
    "target": {"index": 295, "label": "American black bear"},
    "scores": {
        "original": 13.7624,
        "perturbed": 1.1234,
        "threshold": 13.7624,
        "threshold_rule": "share-of-original",
        "original_probability": 0.8694,
    },
    "curve": [
        {"area": 0.05, "measured_area": 0.05001, "preserve": 7.504, "delete": 8.2099, "preserve_probability": 0.0191}
    ],
    "optimal_area": 0.05,
    "monotonic": True,
    "stability": {"walks": 32, "optimal_areas": [0.05, None]},
    "alternatives": [],
    "warnings": [],
    "contrast": {"rival": {"index": 367, "label": "chimpanzee"}, "area": 0.05, "original": 3.579, "preserve": 9.071},
}


def test_every_figure_is_quoted_and_known() -> None:
    assert {name for _, name, _ in quoted()} == set(FIGURES)
    assert all(text.strip() for _, _, text in quoted())


def test_only_what_stands_between_the_marks_of_a_run_is_written_anew() -> None:
    text = "a <!-- figures: finding -->old<!-- end --> b <!-- figures: channels -->kept<!-- end --> c"
    made = rewrite(text, {"black_bear": BEAR})
    seen = "5% of what the network sees of the first photograph"
    finding = f'{seen} suffices for the full score of "American black bear".'
    assert made == text.replace("old", finding)
    assert rewrite(made, {"black_bear": BEAR}) == made


def test_an_answer_is_rounded() -> None:
    made = rewrite("<!-- figures: answer --><!-- end -->", {"black_bear": BEAR})
    assert '"preserve": 7.50, "delete": 8.21, "preserve_probability": 0.019, "mask": ".../masks/0.05.png"' in made
    assert '"optimal_areas": [0.05, null]' in made


def test_tables_are_those_of_the_recorded_results() -> None:
    for text in TEXTS:
        assert rewrite(text.read_text(), recorded()) == text.read_text(), f"{text}: make figures"
    assert TABLES["grid"][1](recorded()["grids"]).count("\n| LIME (one seed) | 63.8 | 1.0 |\n") == 1
    assert "| RISE | 44.0 ± 0.7 | 38.5 ± 1.0 | 38.0 |" in TABLES["pointing"][1](recorded()["pointing"])


def git(folder: Path, *command: str) -> None:
    named = ("-c", "user.name=a", "-c", "user.email=a@b.test", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", folder, *named, *command], check=True, capture_output=True)


def change(folder: Path, text: str) -> None:
    (folder / "engine" / "step.py").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-m", text)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_figure_is_older_than_code_that_has_changed(tmp_path: Path, is_there: bool) -> None:
    known = (ages.Figure("picture.svg", "make it", ("engine", "page.py")),)
    for name in ("docs", "engine"):
        (tmp_path / name).mkdir()
    for name in ("picture.svg", "page.py"):
        (tmp_path / name).write_text(name)
    git(tmp_path, "init")
    change(tmp_path, "first")
    assert ages.ages(figures=known, root=tmp_path)[0][1:3] == ("?", "not the one that was noted: make it anew")
    ages.note(figures=known, root=tmp_path)
    assert ages.ages(figures=known, root=tmp_path)[0][2] == "as new as its code"
    for text in ("second", "third"):
        change(tmp_path, text)
    if not is_there:
        (tmp_path / ".git").rename(tmp_path / "moved")
    since = " (2 changes since)" if is_there else ""
    ages.note(figures=known, root=tmp_path)  # the same file: it wasn't made
    assert ages.ages(figures=known, root=tmp_path)[0][2] == f"older than engine{since}"
    (tmp_path / "picture.svg").write_text("another")
    assert ages.ages(figures=known, root=tmp_path)[0][1] == "?"
    ages.note(figures=known, root=tmp_path)
    assert ages.ages(figures=known, root=tmp_path)[0][2] == "as new as its code"


def test_tables_of_numbers_that_no_record_makes_are_listed(tmp_path: Path) -> None:
    table = "| a | b | c |\n|---|---|---|\n| one | {} | 3 % |\n"
    made = f"<!-- figures: x -->\n\n{table.format('2')}\n<!-- end -->\n"
    (tmp_path / "page.md").write_text(f"# Page\n\n{made}\n{table.format('words')}\n{table.format('+0.19')}")
    listed = ages.typed(["page.md"], root=tmp_path)
    assert [place for place, _ in listed] == ["page.md:15"]


def test_every_figure_is_noted_and_is_about_code_that_is_there() -> None:
    for figure in ages.FIGURES:
        assert all((ages.ROOT / path).exists() for path in (figure.file, *figure.code)), figure
    assert set(json.loads((ages.ROOT / ages.NOTES).read_text())) == {figure.file for figure in ages.FIGURES}
