"""The page at `/`: where to go from here."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_PAGE = Path(__file__).with_name("home.html").read_text(encoding="utf-8")


@router.get("/", response_class=HTMLResponse)
async def show_home() -> str:
    """Return the page."""
    return _PAGE
