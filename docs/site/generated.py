"""Parts of pages that are made as the site is built: each stands at a mark, `<!-- site: NAME -->`.

What is between such a mark and the next `<!-- end -->` is for those who read the page where it lies. It is replaced.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import extremal_client
import fastapi_standalone_docs

import ep_core
from ep_core.evaluation.reporting.html import write_page
from service.app import create_app

from .http_reference import operations
from .interactive import ROOT, pages
from .python_reference import names

ASSETS = Path(__file__).with_name("assets")
RESULTS = ROOT / "docs" / "results"
FOLDER = "site"
"""Of the site: what pages of all folders use."""
_MARK = re.compile(r"<!-- site: (\w+) -->(?:(?:(?!<!-- site:).)*?<!-- end -->)?", re.DOTALL)
_VIEWER = f"[The document](../{FOLDER}/openapi.json), and [a viewer](../{FOLDER}/openapi.html) that needs no server.\n"
_LOGO = "logo-mini.svg"
_SOUGHT = f'window.location.pathname+"/{_LOGO}"'
"""The logo's address in the script, which is that of the service."""


class Generated:
    """Generated parts of the site.

    Attributes:
        document: the service's OpenAPI document.
    """

    def __init__(self) -> None:
        self.document: dict[str, Any] = create_app().openapi()
        self._pages = pages()
        objects: Mapping[str, object] = self.document["components"]["schemas"]
        self._makers: dict[str, Callable[[], str]] = {
            "report": lambda: f"[That page, of these]({FOLDER}/report.html).",
            "viewer": lambda: _VIEWER,
            "operations": lambda: operations(self.document),
            "ep_core": lambda: names(ep_core, objects),
            "extremal_client": lambda: names(extremal_client, objects),
            **{name: lambda name=name: _frame(name) for name in self._pages},
        }

    def fill(self, text: str) -> str:
        """Return a page with what stands at its marks.

        Raises:
            KeyError: nothing of that name is made.
        """
        return _MARK.sub(lambda found: self._makers[found[1]](), text)

    def write_files(self, folder: Path) -> None:
        """Write what pages show or use, into the folder of the staged site."""
        target = folder / FOLDER
        shutil.copytree(ASSETS, target)
        for name, page in self._pages.items():
            (target / f"{name}.html").write_text(page, encoding="utf-8")
        (target / "openapi.json").write_text(json.dumps(self.document, indent=1, ensure_ascii=False), encoding="utf-8")
        (target / "report.html").write_text(_report(), encoding="utf-8")
        redoc = Path(fastapi_standalone_docs.__file__).with_name("static") / "redoc"
        shutil.copy(redoc / _LOGO, target)
        script = (redoc / "redoc.standalone.js").read_text(encoding="utf-8")
        (target / "redoc.standalone.js").write_text(script.replace(_SOUGHT, f'"{_LOGO}"'), encoding="utf-8")
        (target / "openapi.html").write_text(_viewer(self.document), encoding="utf-8")


def _report() -> str:
    """Return the page of the logged evaluations."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(RESULTS, Path(name) / "results"))
        return write_page(folder).read_text(encoding="utf-8")


def _frame(name: str) -> str:
    """Return a frame for a page directly below the site's root."""
    return f'<iframe class="{name}" src="{FOLDER}/{name}.html" loading="lazy" title="{html.escape(name)}"></iframe>'


def _viewer(document: Mapping[str, Any]) -> str:
    """Return a page that shows the document as `/redoc` does; it holds it, since pages from disk may load no files."""
    held = json.dumps(document, ensure_ascii=False).replace("<", "\\u003c")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>Extremal perturbations: OpenAPI</title>\n"
        '<style>body { margin: 0; }</style>\n<div id="shown"></div>\n'
        '<script src="redoc.standalone.js"></script>\n'
        f"<script>Redoc.init({held}, {{ hideLoading: true }}, document.getElementById('shown'));</script>\n</html>\n"
    )
