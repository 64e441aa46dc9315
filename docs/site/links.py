"""Links and anchors of Markdown pages, code left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_CODE = re.compile(r"(^```.*?^```|(?<=\n\n)(?: {4}[^\n]*\n)+|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_SOURCE_OF_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_DROPPED = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Link:
    """Address in a link: a path relative to the page, and an anchor; either may be empty."""

    path: str
    anchor: str

    def __str__(self) -> str:
        return f"{self.path}#{self.anchor}" if self.anchor else self.path


def rewrite_links(text: str, change: Callable[[Link], Link]) -> str:
    """Return a page with other links.

    Args:
        text: Markdown.
        change: is called with each link that leads to a file or an anchor, and returns what takes its place.
    """

    def changed(found: re.Match[str]) -> str:
        address = found[0]
        if re.match(r"[a-z]+:", address):  # another host's, or mail
            return address
        path, _, anchor = address.partition("#")
        return str(change(Link(path, anchor)))

    parts = _CODE.split(text)  # code is every other one
    return "".join(part if k % 2 else _LINK.sub(changed, part) for k, part in enumerate(parts))


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site name them."""
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    found: set[str] = set()
    for heading in _HEADING.findall(without_blocks):
        slug = _slug(heading)
        found.add(next(name for name in _numbered(slug) if name not in found))
    return found


def _slug(heading: str) -> str:
    shown = _SOURCE_OF_LINK.sub(r"\1", heading).replace("`", "")
    return _DROPPED.sub("", shown.strip().lower()).replace(" ", "-")


def _numbered(slug: str) -> list[str]:
    """Return the names that headings of one text get, in their order."""
    return [slug, *(f"{slug}-{k}" for k in range(1, 50))]
