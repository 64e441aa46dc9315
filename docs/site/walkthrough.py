"""Walkthroughs: pages whose commands can be run as they stand, one block after the other.

A block of ``sh`` is run; the next block, of ``text`` or ``json``, is what it prints. A block of another language whose
first line is a comment with a file's name is written to that file. A line that ends in `make run` starts the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"(?:#|//|<!--) *([\w./-]+\.\w+)(?: *-->)?\n")
_SERVICE = re.compile(r"^((?:\w+=\S+ +)*)make run\b.*\n?$")
_NUMBER = r"-?\d+(?:\.\d+)?"
_TOKEN = re.compile(rf"\.\.\.|(?<![\w.]){_NUMBER}(?![\w])")
_OUTPUTS = ("text", "json")
TOLERANCE = 0.02
"""Difference from a number that a page quotes, as a share of it: processors differ in a score's last digits."""


@dataclass(frozen=True)
class Step:
    """Block of a page that does something.

    Attributes:
        line: of the page, from 1.
        text: commands, or the content of a file.
        file: its name, where the block is one.
        settings: of the service, `NAME=value` as they stand, where the block starts it; else None.
        output: that the page shows; None where it shows none.
    """

    line: int
    text: str
    file: str | None = None
    settings: str | None = None
    output: str | None = None


def steps(page: str) -> Iterator[Step]:
    """Yield the steps of a page in Markdown."""
    fences = list(_FENCE.finditer(page))
    for k, found in enumerate(fences):
        language, text = found.groups()
        line = page.count("\n", 0, found.start()) + 1
        if language == "sh":
            started = _SERVICE.match(text)
            following = fences[k + 1] if k + 1 < len(fences) else None
            output = following[2] if following and following[1] in _OUTPUTS else None
            yield Step(line, text, settings=started and started[1], output=output)
        elif language not in _OUTPUTS and (named := _FILE.match(text)):
            yield Step(line, text, file=named[1])


def agree(shown: str, printed: str) -> bool:
    """Return whether a page shows what was printed: `...` stands for anything, and numbers agree within `TOLERANCE`."""
    shown, printed = _trimmed(shown), _trimmed(printed)
    pattern, numbers, at = "", [], 0
    for token in _TOKEN.finditer(shown):
        pattern += re.escape(shown[at : token.start()])
        if token[0] == "...":
            pattern += r".*?"
        else:
            numbers.append(float(token[0]))
            pattern += f"({_NUMBER})"
        at = token.end()
    found = re.fullmatch(pattern + re.escape(shown[at:]), printed, re.DOTALL)
    if found is None:
        return False
    return all(
        abs(float(one) - wanted) <= TOLERANCE * abs(wanted) for one, wanted in zip(found.groups(), numbers, strict=True)
    )


def _trimmed(text: str) -> str:
    """Return a text without the blanks that nobody sees: at the ends of its lines, and around it."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()
