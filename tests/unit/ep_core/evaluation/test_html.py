"""The page of all reports."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.evaluation.reporting.html import write_page
from ep_core.evaluation.reporting.report import EvaluationReport, Figure, Table, write_report


def report(folder: Path, benchmark: str = "pointing", **more: Any) -> None:
    (folder / "pictures").mkdir(exist_ok=True)
    Image.new("RGB", (4, 4), "red").save(folder / "pictures" / "a.png")
    (folder / "b.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    given: dict[str, Any] = {
        "title": "Pointing <game> & more",
        "about": "Whether <script>alert(1)</script> runs.",
        "settings": {"areas": [0.1, 0.25], "layer": None},
        "items": 3,
        "seconds": 1.5,
        "tables": [
            Table(
                title="Table <1>",
                columns=["Method", "All", "Loss"],
                rows=[["<i>A", 0.5, 2.0], ["B", 0.25, 1.0], ["C", None, None]],
                best={"All": "highest", "Loss": "lowest"},
            )
        ],
        "figures": [Figure(title="A", file="pictures/a.png"), Figure(title="B", file="b.svg", caption="<b>")],
    }
    write_report(EvaluationReport(benchmark=benchmark, **(given | more)), folder)


def test_the_page_holds_everything_and_refers_to_nothing_outside(tmp_path: Path) -> None:
    report(tmp_path)
    page = write_page(tmp_path).read_text()
    references = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page)
    assert len(references) == 3
    assert all(reference.startswith(("data:image/", "#")) for reference in references)
    assert not re.search(r"https?://|@import|url\(|<script|<link", page)
    assert "data:image/png;base64," in page
    assert "data:image/svg+xml;base64," in page


def test_words_are_escaped(tmp_path: Path) -> None:
    report(tmp_path)
    page = write_page(tmp_path).read_text()
    assert "Pointing &lt;game&gt; &amp; more" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<i>A" not in page
    assert "<b>" not in page


def test_figures_are_shown_with_their_decimals_and_the_best_in_bold(tmp_path: Path) -> None:
    report(tmp_path)
    page = write_page(tmp_path).read_text()
    cells = re.findall(r"<td([^>]*)>([^<]*)</td>", page)
    assert [text for _, text in cells] == ["&lt;i&gt;A", "0.500", "2.000", "B", "0.250", "1.000", "C", "–", "–"]
    assert [text for kind, text in cells if "best" in kind] == ["0.500", "1.000"]
    assert all(("number" in kind) == (text not in ("&lt;i&gt;A", "B", "C")) for kind, text in cells)


def test_settings_are_in_words(tmp_path: Path) -> None:
    report(tmp_path)
    page = write_page(tmp_path).read_text()
    assert "<dt>areas</dt> <dd>0.1, 0.25</dd>" in page
    assert "<dt>layer</dt> <dd>default</dd>" in page


def test_reports_come_in_the_papers_order_and_other_files_are_passed_over(tmp_path: Path) -> None:
    for name in ("zebra", "smooth", "pointing", "ants", "faithfulness"):
        report(tmp_path, name, title=name)
    (tmp_path / "other.json").write_text('{"a": 1}')
    (tmp_path / "broken.json").write_text("{")
    page = write_page(tmp_path).read_text()
    assert re.findall(r'<section id="(\w+)"', page) == ["pointing", "faithfulness", "smooth", "ants", "zebra"]
    assert re.findall(r'<a href="#(\w+)"', page) == ["pointing", "faithfulness", "smooth", "ants", "zebra"]


def test_a_folder_without_reports_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no reports in"):
        write_page(tmp_path)


def test_a_missing_picture_says_which(tmp_path: Path) -> None:
    report(tmp_path)
    (tmp_path / "b.svg").unlink()
    with pytest.raises(InvalidInput, match=r"b\.svg is missing"):
        write_page(tmp_path)


def test_equal_figures_are_both_best_and_a_single_one_is_not() -> None:
    table = Table(title="", columns=["", "All"], rows=[["A", 0.50001], ["B", 0.5]], best={"All": "highest"})
    assert table.is_best(1, 0.5)
    assert table.is_best(1, 0.50001)
    alone = table.model_copy(update={"rows": [["A", 0.5]]})
    assert not alone.is_best(1, 0.5)
