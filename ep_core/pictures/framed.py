"""Page inside of another page, such as a notebook: in a frame, where its scripts reach nothing around it."""

from __future__ import annotations

from html import escape

_POLICY = "allow-scripts"  # nothing in the name of what is around it


def framed(page: str, still: str, *, title: str, height: int) -> str:
    """Return a piece of HTML that shows a page, and where frames are taken out what looks like it.

    Both are in the same cell of a grid, the frame above the other, which is seen in viewers that keep no frames: those
    of repositories, and of notebooks that nobody has said to trust.

    Args:
        page: a whole HTML document that fetches nothing.
        still: a piece of HTML without scripts.
        title: of the frame, for those who hear it.
        height: of the frame, in pixels.
    """
    place = "grid-area: 1 / 1"
    frame = f"width: 100%; height: {height}px; border: 0; {place}"
    return (
        '<div style="display: grid; grid-template-columns: minmax(0, 1fr)">\n'
        f'<div style="max-height: {height}px; overflow: hidden; {place}">\n{still}\n</div>\n'
        f'<iframe title="{escape(title)}" sandbox="{_POLICY}" style="{frame}" srcdoc="{escape(page)}"></iframe>\n'
        "</div>"
    )
