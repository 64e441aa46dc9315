"""The dashboard's files, read once: no path of a request ever reaches the file system."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path

INDEX = "index.html"
_FOLDER = Path(__file__).with_name("static")
# Some machines know these under other names, or not at all.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}


@dataclass(frozen=True)
class StaticFile:
    """One file of the page."""

    content: bytes
    media_type: str


def read_files() -> dict[str, StaticFile]:
    """Return all files by their path from the folder, with ``/`` between."""
    return {
        path.relative_to(_FOLDER).as_posix(): StaticFile(path.read_bytes(), _media_type(path))
        for path in sorted(_FOLDER.rglob("*"))
        if path.is_file()
    }


def _media_type(path: Path) -> str:
    known = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{known}; charset=utf-8" if known.startswith("text/") else known
