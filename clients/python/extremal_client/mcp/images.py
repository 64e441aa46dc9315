"""Images as agents name them: an address, a `data:` URL, or a file below an allowed folder."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mcp.server.mcpserver.exceptions import ToolError

_DATA = re.compile(r"data:[^,]*;base64,(.*)", re.DOTALL)
_WAYS = "give the image as https://... or data:image/png;base64,..."


class Images:
    """Reads what agents name as images.

    Args:
        roots: folders in which files may be named by their paths.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = [root.resolve() for root in roots]

    def read(self, given: str) -> str | bytes | Path:
        """Return an image as the client takes it: an address, the bytes of a file, or its path.

        Raises:
            ToolError: it is none of these.
        """
        given = given.strip()
        return given if _is_address(given) else self.file(given)

    def file(self, given: str) -> bytes | Path:
        """Return an image that the service takes as a file only; raises as `read`, also of an address."""
        given = given.strip()
        if _is_address(given):
            raise ToolError(f"{given!r:.80} is an address, which the service fetches for `image` alone")
        if given.startswith("data:"):
            return _decoded(given)
        return self._path(unquote(urlsplit(given).path) if given.startswith("file://") else given)

    def _path(self, given: str) -> Path:
        if not self._roots:
            raise ToolError(
                f"{given!r:.80} is no address, and no folder is allowed here: {_WAYS}, or start `ep mcp` with --root"
            )
        for root in self._roots:
            path = (root / given).resolve()  # of links too: none leads out
            if path.is_relative_to(root) and path.is_file():
                return path
        allowed = ", ".join(map(str, self._roots))
        raise ToolError(f"there is no file {given!r:.200} below {allowed}: name one, or {_WAYS}")


def _is_address(given: str) -> bool:
    return given.lower().startswith(("http://", "https://"))


def _decoded(url: str) -> bytes:
    found = _DATA.fullmatch(url)
    try:
        content = base64.b64decode("".join(found[1].split()), validate=True) if found else b""
    except ValueError:
        content = b""
    if not content:
        raise ToolError(f"{url!r:.60} has no base64: write data:image/png;base64,... with the bytes of the file")
    return content
