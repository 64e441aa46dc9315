"""All reports of a folder as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ep_core.errors import InvalidInput
from ep_core.pictures.embedded import data_url
from ep_core.pictures.templates import templates

from .report import EvaluationReport, Figure

PAGE = "report.html"
TITLE = "Extremal perturbations: evaluation"
ORDER = (
    "pointing",
    "grid",
    "faithfulness",
    "monotonicity",
    "extremality",
    "stability",
    "sanity",
    "growth",
    "curves",
    "smooth",
)
"""First what the paper has tables of, then its figures; others after them, by name."""
KINDS = {".png": "image/png", ".svg": "image/svg+xml"}


def write_page(out: Path) -> Path:
    """Make a page of all reports of a folder.

    Args:
        out: the folder, in which the page is written as ``report.html``.

    Raises:
        InvalidInput: the folder has no reports, or a report's picture is missing.
    """
    page = out / PAGE
    page.write_text(html_page(read_reports(out), out))
    return page


def read_reports(out: Path) -> list[EvaluationReport]:
    """Return the reports of a folder, in the order in which they are shown; other JSON files are passed over.

    Raises:
        InvalidInput: there is none.
    """
    found = []
    for path in sorted(out.glob("*.json")):
        try:
            found.append(EvaluationReport.model_validate_json(path.read_bytes()))
        except ValidationError:
            continue
    if not found:
        raise InvalidInput(f"no reports in {out}: run `ep evaluate ...` with --out {out} first", field="out")
    known = {name: k for k, name in enumerate(ORDER)}
    return sorted(found, key=lambda report: (known.get(report.benchmark, len(ORDER)), report.benchmark))


def html_page(reports: Sequence[EvaluationReport], folder: Path) -> str:
    """Return one page of HTML with the reports' pictures in it, which refers to nothing outside of it.

    Args:
        reports: in the order in which they are shown.
        folder: where their pictures lie.

    Raises:
        InvalidInput: a picture is missing.
    """
    template = templates("ep_core.evaluation.reporting").get_template("report.html.j2")
    return template.render(title=TITLE, reports=reports, data_url=lambda figure: figure_url(figure, folder))


def figure_url(figure: Figure, folder: Path) -> str:
    """Return a picture as a ``data:`` URL.

    Raises:
        InvalidInput: it is missing, or neither PNG nor SVG.
    """
    path = folder / figure.file
    if path.suffix not in KINDS or not path.is_file():
        raise InvalidInput(f"the picture {path} is missing: run its evaluation again", field="out")
    return data_url(path.read_bytes(), KINDS[path.suffix])
