"""Figures that README and docs quote: each is made here from real results, and stands between two marks.

A text has `<!-- figures: NAME -->` before such a figure and `<!-- end -->` behind it; `python -m docs.figures` writes
what is between, and with `--check` compares it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import scale
from .recorded import SCALE, TABLES

ROOT = Path(__file__).parents[1]
TEXTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

Result = Mapping[str, Any]
"""The run of `make scale`, whose result is kept: it is not made anew for its figures."""
_BLOCK = re.compile(r"(<!-- figures: ([\w-]+) -->)(.*?)(<!-- end -->)", re.DOTALL)


def rewrite(text: str, results: Mapping[str, Result]) -> str:
    """Return a text with its figures replaced by those of the results.

    Args:
        text: Markdown.
        results: by the name of the run that `FIGURES` names; those of others stay as they are.

    Raises:
        KeyError: a figure is unknown.
    """

    def made(found: re.Match[str]) -> str:
        run, make = FIGURES[found[2]]
        return found[1] + (make(results[run]) if run in results else found[3]) + found[4]

    return _BLOCK.sub(made, text)


def quoted() -> Iterator[tuple[Path, str, str]]:
    """Yield each figure of the texts: its file, its name, and its content."""
    for path in TEXTS:
        for found in _BLOCK.finditer(path.read_text()):
            yield path, found[2], found[3]


def _percent(share: float) -> str:
    return f"{100 * share:g}%"


def _finding(bear: Result) -> str:
    seen = f"{_percent(bear['optimal_area'])} of what the network sees of the first photograph"
    return f'{seen} suffices for the full score of "{_label(bear)}".'


def _label(result: Result) -> str:
    label: str = result["target"]["label"]
    return label


def _answer(bear: Result) -> str:
    """Return a sweep's result, shortened and rounded."""
    scores, contrast = bear["scores"], bear["contrast"]
    lines = [
        f'{{"target": {json.dumps({"index": bear["target"]["index"], "label": _label(bear)})},',
        f' "scores": {{"original": {_score(scores["original"])}, "perturbed": {_score(scores["perturbed"])}, '
        f'"threshold": {_score(scores["threshold"])}, "threshold_rule": "{scores["threshold_rule"]}", '
        f'"original_probability": {scores["original_probability"]:.3f}}},',
        ' "curve": [' + ",\n           ".join(_point(point, k == 0) for k, point in enumerate(bear["curve"])) + "],",
        f' "optimal_area": {json.dumps(bear["optimal_area"])}, "monotonic": {json.dumps(bear["monotonic"])},',
        f' "stability": {{"walks": {bear["stability"]["walks"]}, '
        f'"optimal_areas": {json.dumps(bear["stability"]["optimal_areas"])}, "points": [...], ...}},',
        f' "alternatives": [{"..." if bear["alternatives"] else ""}],',
        f' "contrast": {{"rival": {json.dumps(contrast["rival"])}, "area": {contrast["area"]:g}, '
        f'"original": {_score(contrast["original"])}, "preserve": {_score(contrast["preserve"])}, '
        '"mask": ".../masks/contrast.png", ...},',
        f' "warnings": {json.dumps(bear["warnings"])}, "timing": {{"queued_s": 0.01, "run_s": 25, ...}}, ...}}',
    ]
    return "\n```json\n" + "\n".join(lines) + "\n```\n"


def _point(point: Result, is_first: bool) -> str:
    rest = f'"mask": ".../masks/{point["area"]}.png", ...' if is_first else "..."
    return (
        f'{{"area": {point["area"]}, "measured_area": {point["measured_area"]:.3f}, '
        f'"preserve": {_score(point["preserve"])}, "delete": {_score(point["delete"])}, '
        f'"preserve_probability": {point["preserve_probability"]:.3f}, {rest}}}'
    )


def _score(score: float) -> str:
    """Return a score to the digits that don't depend on the number of threads or the instruction set."""
    return f"{score:.2f}"


def _channels(goose: Result) -> str:
    return f"{goose['optimal_area']} of the {goose['layer']['channels']} channels suffice"


FIGURES: dict[str, tuple[str, Callable[[Result], str]]] = {
    "finding": ("black_bear", _finding),
    "answer": ("black_bear", _answer),
    "channels": ("channels", _channels),
    **{name: (SCALE, make) for name, make in scale.BLOCKS.items()},
    **TABLES,
}
"""By name: the run that it is about, and how it is made of its result."""
