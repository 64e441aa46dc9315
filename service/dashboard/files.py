"""Files of the dashboard, read and compressed once: no path of a request ever reaches the file system."""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from service.tasks.service import list_tasks

INDEX = "index.html"
TASKS = "tasks.js"
_WORTH = 0.8
_FOLDER = Path(__file__).with_name("static")
# Some machines know these under other names, or not at all.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}


@dataclass(frozen=True)
class StaticFile:
    """One file of the page."""

    content: bytes
    media_type: str
    packed: bytes | None
    """The content as gzip packs it, where that is worth it."""


def read_files() -> dict[str, StaticFile]:
    """Return all files by their path from the folder, with ``/`` between."""
    paths = (path for path in sorted(_FOLDER.rglob("*")) if path.is_file())
    return {path.relative_to(_FOLDER).as_posix(): _read(path) for path in paths}


def task_module() -> StaticFile:
    """Return the module with the answer of `GET /v1/tasks`: with the page's others, it is there before any key is."""
    return pack(f"export default {list_tasks().model_dump_json()};\n".encode(), f"{_TYPES['.js']}; charset=utf-8")


def pack(content: bytes, media_type: str) -> StaticFile:
    """Return a file of this content, packed where that is worth it."""
    smaller = gzip.compress(content, mtime=0)  # all API processes give the same
    return StaticFile(content, media_type, smaller if len(smaller) < _WORTH * len(content) else None)


def _read(path: Path) -> StaticFile:
    return pack(path.read_bytes(), _media_type(path))


def _media_type(path: Path) -> str:
    known = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{known}; charset=utf-8" if known.startswith("text/") else known
