"""Gallery of several results: one HTML page that opens from disk, without a server and without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from ep_core.pictures.embedded import thumbnail_url
from ep_core.pictures.small_curve import small_curve
from ep_core.pictures.templates import templates
from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.reports.file_names import CURVE, PAGE, RESULT, overlay_name
from ep_core.schemas.specs import ExtremalSpec
from ep_core.version import __version__

from .several_results import Item
from .verdicts import Goal, verdict

SIDE = 480  # pixels of a picture's longer side
UNSHOWN = {"task", "model", "white_level"}
"""Parameters that the page doesn't list: it names the model at its head."""


@dataclass(frozen=True)
class _Card:
    """An image on the page."""

    item: Item
    report: ExtremalReport
    picture: str
    """The photograph under the mask of a*, or of the largest area; empty where the file is gone."""
    curve: str
    """SVG, made of numbers alone."""
    verdict: str
    links: dict[str, str]


def gallery_page(items: Sequence[Item], out: Path, spec: ExtremalSpec) -> str:
    """Return the page of all images, with their pictures in it; links lead to the folders of the results.

    Args:
        items: in the order in which they are shown.
        out: where the folders lie, and the page will.
        spec: the sweep.
    """
    return (
        templates("ep_core.cli")
        .get_template("gallery.html.j2")
        .render(
            title=f"Extremal perturbations: {len(items)} {'image' if len(items) == 1 else 'images'}",
            cards=[_card(one, one.report, out) for one in items if one.report is not None],
            failed=[one for one in items if one.report is None],
            model=spec.model,
            settings=spec.model_dump(exclude=UNSHOWN),
            version=__version__,
        )
    )


def _card(item: Item, report: ExtremalReport, out: Path) -> _Card:
    folder = item.folder or ""
    best = report.curve[-1].area if report.optimal_area is None else report.optimal_area
    goal = Goal(report.target.label, report.params.variant, report.params.threshold, report.scores)
    address = quote(folder)
    return _Card(
        item=item,
        report=report,
        picture=_thumbnail(out / folder / overlay_name(best)),
        curve=small_curve(report.curve, report.scores, report.optimal_area),
        verdict=verdict(report.optimal_area, goal, report.coverage),
        links={
            "page": f"{address}/{PAGE}",
            "all files": f"{address}/",
            "curve": f"{address}/{CURVE}",
            "report": f"{address}/{RESULT}",
        },
    )


def _thumbnail(path: Path) -> str:
    try:
        with Image.open(path) as picture:
            return thumbnail_url(picture, SIDE)
    except OSError:
        return ""
