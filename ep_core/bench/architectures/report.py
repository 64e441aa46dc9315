"""Results of the trials: a summary, JSON, and a table for the documentation."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from .check import TASKS, Checked, Verdict


def summary(checked: Sequence[Checked]) -> str:
    """Return the line that sums the trials up."""
    parts = [f"{len(checked)} architectures"]
    for task in TASKS:
        parts.append(f"{task} works for {sum(one.verdicts[task].works for one in checked)}")
    errors, choices = count_errors(checked), sum(needs_layer(one) for one in checked)
    parts += [f"{errors} internal errors", f"{choices} layer choices needed"]
    return ", ".join(parts)


def count_errors(checked: Sequence[Checked]) -> int:
    """Return how many architectures ended in an error that the product doesn't know."""
    return sum(any(verdict.is_error for verdict in one.verdicts.values()) for one in checked)


def needs_layer(one: Checked) -> bool:
    """Return whether a user would have to name a layer of this architecture."""
    return any(verdict.needs_layer for verdict in one.verdicts.values())


def words(verdict: Verdict) -> str:
    """Return a verdict for a table."""
    if verdict.is_error:
        return f"internal error: {'; '.join([verdict.said, *(reason for _, reason in verdict.reasons)])}"
    return verdict.said if verdict.works else f"refused: {verdict.said}"


def as_object(one: Checked) -> dict[str, Any]:
    """Return a trial for JSON."""
    tasks = {
        task: {
            "works": verdict.works,
            "said": verdict.said,
            "reasons": dict(verdict.reasons),
            "internal_error": verdict.is_error,
            "layer_choice_needed": verdict.needs_layer,
        }
        for task, verdict in one.verdicts.items()
    }
    return {"name": one.name, "source": one.source, "weights": one.weights, "seconds": round(one.seconds, 1), **tasks}


def markdown(checked: Sequence[Checked]) -> str:
    """Return a table, with each reason once below it, and the summary."""
    numbers: dict[str, int] = {}
    lines = [f"| Architecture | Source | {' | '.join(f'`{task}`' for task in TASKS)} |", "|---|---|---|---|---|"]
    for one in checked:
        cells = [_cell(one, task, numbers) for task in TASKS]
        lines.append(f"| {one.name} | {one.source} | {' | '.join(cells)} |")
    listed = [f"{number}. {reason}" for reason, number in numbers.items()]
    return "\n".join([*lines, "", *listed, "", f"{summary(checked)}."])


def _cell(one: Checked, task: str, numbers: dict[str, int]) -> str:
    """Return a verdict with the numbers of its reasons, and note the new ones."""
    verdict = one.verdicts[task]
    said, reasons = verdict.said, _by_reason(verdict, one.name)
    if verdict.is_error:
        said = f"internal error: {said}"
    elif not verdict.works:
        said, reasons = "refused", [_general(said, one.name)]
    found = [str(numbers.setdefault(reason, len(numbers) + 1)) for reason in reasons]
    return f"{said} ({', '.join(found)})" if found else said


def _by_reason(verdict: Verdict, name: str) -> list[str]:
    """Return the reasons, each once, after the methods that share it."""
    methods: dict[str, list[str]] = defaultdict(list)
    for method, reason in verdict.reasons:
        methods[_general(reason, name)].append(f"`{method}`")
    return [f"{', '.join(those)}: {reason}" for reason, those in methods.items()]


def _general(reason: str, name: str) -> str:
    """Return a reason without the names of the model, its layers and the method, so that those of several agree."""
    for pattern, left in _NAMES:
        reason = pattern.sub(left, reason)
    return reason.replace(f"model {name!r}", "the model")


_NAMES = (
    (re.compile(r" \((at |`layer`: )[^)]*\)"), ""),
    (re.compile(r"(can't trace (it|this one)) \(.*\)$"), r"\1"),
    (re.compile(r"^.*? (can't explain model '[^']*': |reads a layer, and )"), ""),
)
