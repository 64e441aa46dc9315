"""Texts that others have written, made fit for a terminal or a log."""

from __future__ import annotations

import re

# Control characters, line separators, changes of the direction of writing, halves of characters that no encoding takes.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str, *, keep: str = "") -> str:
    r"""Return `text` with what a terminal or a reader of lines doesn't show but obeys as ``\x1b``, ``\n``, ``\u202e``.

    Args:
        text: from anywhere.
        keep: characters that stay, such as ``"\n"`` where `text` may have several lines.
    """
    return _UNFIT.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
