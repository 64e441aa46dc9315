"""Files of the dashboard, read and compressed once: no path of a request ever reaches the file system.

The view of a result is the engine's: its pages that are opened from disk show the same.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path

from ep_core.pictures.result_page import VIEW
from service.http.packing import Content, pack
from service.tasks.service import list_tasks

INDEX = "index.html"
TASKS = "tasks.js"
_FOLDER = Path(__file__).with_name("static")
_NOT_SERVED = "export"  # modules of these names read what a page from disk holds
# Some machines know these under other names, or not at all.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}


def read_files() -> dict[str, Content]:
    """Return all files by their path from the folder, with ``/`` between, and those of the view of a result."""
    paths = (path for path in sorted(_FOLDER.rglob("*")) if path.is_file())
    own = {path.relative_to(_FOLDER).as_posix(): _read(path) for path in paths}
    shared = (
        path for path in sorted(VIEW.iterdir()) if path.suffix in _TYPES and not path.name.startswith(_NOT_SERVED)
    )
    return own | {path.name: _read(path) for path in shared}


def task_module() -> Content:
    """Return the module with the answer of `GET /v1/tasks`: with the page's others, it is there before any key is."""
    return pack(f"export default {list_tasks().model_dump_json()};\n".encode(), f"{_TYPES['.js']}; charset=utf-8")


def _read(path: Path) -> Content:
    return pack(path.read_bytes(), _media_type(path))


def _media_type(path: Path) -> str:
    known = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{known}; charset=utf-8" if known.startswith("text/") else known
