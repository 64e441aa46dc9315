"""Ages of figures: when each was made, and since then how often the code that it is about has changed.

docs/figures.json notes of each file its date, its commit and the digests of its code, so that a figure's age is known
without git, too; with git it says how many commits have changed the code since.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NOTES = "docs/figures.json"
TYPED_IN = ("README.md", "docs/results.md", "docs/performance.md")
"""Texts whose tables of numbers are listed that no record makes."""
_MAKE = "make figures"
_SWEEP = ("ep_core/masks", "ep_core/optimiser", "ep_core/extremal")
_CHANNELS = ("ep_core/optimiser", "ep_core/channels")
_TABLE = re.compile(r"<!-- figures: .*?<!-- end -->|(?:^\|[^\n]*\n)+", re.DOTALL | re.MULTILINE)
_NUMBER = re.compile(r"^[|\s*+±~-]*[\d.]+")

Note = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A file that a command makes: a picture, or a recorded result of which tables are made."""

    file: str
    command: str
    code: tuple[str, ...]
    """Files and folders that it is about."""


def _evaluated(name: str, *code: str) -> Figure:
    return Figure(f"docs/results/{name}.json", f"ep evaluate {name} (docs/results.md)", (*_SWEEP, *code))


FIGURES = (
    Figure("docs/images/masks.jpg", _MAKE, (*_SWEEP, "ep_core/pictures")),
    Figure("docs/images/black_bear_curve.svg", _MAKE, (*_SWEEP, "ep_core/pictures")),
    Figure("docs/images/reveal.webp", _MAKE, (*_SWEEP, "ep_core/pictures")),
    Figure("docs/images/comparison.jpg", _MAKE, (*_SWEEP, "ep_core/methods", "ep_core/compare")),
    Figure("docs/images/goose_inversions.jpg", _MAKE, _CHANNELS),
    Figure("docs/images/class_channels.jpg", f"{_MAKE} ARGS='--signs PHOTOGRAPHS'", _CHANNELS),
    _evaluated("pointing", "ep_core/methods", "ep_core/evaluation/pointing.py"),
    _evaluated("grid", "ep_core/methods", "ep_core/evaluation/grid.py"),
    _evaluated("sanity", "ep_core/methods", "ep_core/evaluation/sanity.py"),
    _evaluated("stability", "ep_core/evaluation/stability.py"),
    Figure("docs/images/dashboard", "make screenshots", ("service/dashboard", "ep_core/pictures/view")),
)


def note(made: Sequence[str] = (), *, figures: Sequence[Figure] = FIGURES, root: Path = ROOT) -> None:
    """Note the figures that were just made, and those whose files have changed since they were noted."""
    notes = _notes(root)
    for one in figures:
        content = digest_of(root / one.file)
        if one.file in made or content != notes.get(one.file, {}).get("content"):
            notes[one.file] = {
                "date": _made_on(root / one.file) or datetime.now(UTC).date().isoformat(),
                "commit": _git(root, "rev-parse", "--short=12", "HEAD").strip() or None,
                "content": content,
                "code": {path: digest_of(root / path) for path in one.code},
            }
    (root / NOTES).write_text(json.dumps(notes, indent=1, sort_keys=True) + "\n")


def ages(*, figures: Sequence[Figure] = FIGURES, root: Path = ROOT) -> list[tuple[str, str, str, str]]:
    """Return of each figure its file, its date, what of its code is newer, and the command that makes it anew."""
    notes = _notes(root)
    return [(one.file, *_age(one, notes.get(one.file), root), one.command) for one in figures]


def typed(texts: Sequence[str] = TYPED_IN, *, root: Path = ROOT) -> list[tuple[str, str]]:
    """Return the places of tables of numbers that are typed by hand, and the dates of their last changes."""
    return [found for text in texts for found in _tables_of(text, root)]


def listing() -> str:
    """Return all ages, in lines for people."""
    rows = [f"{file:<38} {date:<10}  {age}\n{'':<50} {command}" for file, date, age, command in ages()]
    by_hand = [f"{place:<38} {date:<10}" for place, date in typed()]
    return "\n".join(["Figures", *rows, "", "Tables typed by hand, and when they last changed", *by_hand])


def digest_of(path: Path) -> str:
    """Return the digest of a file, or of all files of a folder with their names; "" where there is nothing."""
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path] * path.is_file()
    found = hashlib.sha256()
    for one in files:
        if "__pycache__" not in one.parts:
            found.update(f"{one.relative_to(path)}\0".encode() + hashlib.sha256(one.read_bytes()).digest())
    return found.hexdigest()[:16] if files else ""


def _made_on(path: Path) -> str | None:
    """Return the day that a recorded result says."""
    return json.loads(path.read_text()).get("made_on") if path.suffix == ".json" else None


def _age(figure: Figure, noted: Note | None, root: Path) -> tuple[str, str]:
    if noted is None or noted["content"] != digest_of(root / figure.file):
        return "?", "not the one that was noted: make it anew"
    newer = [path for path in figure.code if noted["code"].get(path) != digest_of(root / path)]
    said = [path + _changes(noted["commit"], path, root) for path in newer]
    return noted["date"], f"older than {', '.join(said)}" if said else "as new as its code"


def _changes(commit: str | None, path: str, root: Path) -> str:
    count = _git(root, "rev-list", "--count", f"{commit}..HEAD", "--", path).strip() if commit else ""
    return f" ({count} change{'' if count == '1' else 's'} since)" if count.isdigit() and count != "0" else ""


def _tables_of(text: str, root: Path) -> Iterator[tuple[str, str]]:
    content = (root / text).read_text()
    blamed = _git(root, "blame", "--line-porcelain", "--", text)
    times = map(int, re.findall(r"^committer-time (\d+)", blamed, re.MULTILINE))
    dates = [datetime.fromtimestamp(one, UTC).date().isoformat() for one in times]
    for table in _TABLE.finditer(content):
        if table[0].startswith("|") and _is_of_numbers(table[0]):
            first = content.count("\n", 0, table.start())
            lines = dates[first : first + table[0].count("\n")]
            yield f"{text}:{first + 1}", max(lines, default="?")


def _is_of_numbers(table: str) -> bool:
    """Return whether most cells behind the first column begin with a number."""
    cells = [cell for line in table.splitlines()[2:] for cell in line.strip("|").split("|")[1:] if cell.strip()]
    return 2 * sum(bool(_NUMBER.match(cell)) for cell in cells) > len(cells)


def _notes(root: Path) -> dict[str, Note]:
    path = root / NOTES
    notes: dict[str, Note] = json.loads(path.read_text()) if path.exists() else {}
    return notes


def _git(root: Path, *command: str) -> str:
    """Return what git says; "" where there is none, or no repository."""
    try:
        done = subprocess.run(["git", "-C", root, *command], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""
