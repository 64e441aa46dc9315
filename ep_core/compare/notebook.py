"""Comparison as a notebook shows it: its page in a frame, and the sheet of all maps where frames are taken out."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ep_core.pictures.embedded import thumbnail_url
from ep_core.pictures.framed import framed

from .page import page_html
from .render import comparison_sheet

if TYPE_CHECKING:
    from .comparison import Comparison

HEIGHT = 720
"""Pixels of the frame's height."""
SHEET_SIDE = 920
"""Most pixels of the sheet's longer side."""


def notebook_html(comparison: Comparison) -> str:
    """Return the page of the comparison, as HTML inside of another page: in a frame, above the sheet of its maps."""
    title = f"{comparison.target.label}: what {len(comparison.answers)} methods find in {comparison.model.name}"
    sheet = thumbnail_url(comparison_sheet(comparison), SHEET_SIDE)
    still = f'<img src="{sheet}" style="max-width: 100%" alt="{escape(title)}">'
    return framed(page_html(comparison), still, title=title, height=HEIGHT)
