"""Check that scores and masks are finite numbers: others carry no result, and can't be written as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ep_core.errors import NotFinite
from ep_core.schemas.tasks import Report


def require_finite(scores: Iterable[float], *, model: str, perturbation: str, what: str = "score") -> None:
    """Raise `NotFinite` where one of the scores is NaN or infinite.

    Args:
        scores: of the target, whole and perturbed.
        model: name of the network that gave them.
        perturbation: of the image.
        what: a score, or another output of the network.
    """
    wrong = next((score for score in scores if not math.isfinite(score)), None)
    if wrong is not None:
        raise not_finite(wrong, model=model, perturbation=perturbation, what=what)


def require_finite_report(report: Report) -> None:
    """Raise `NotFinite` where a number of a task's report is NaN or infinite."""
    wrong = next((number for number in _numbers(report.model_dump()) if not math.isfinite(number)), None)
    if wrong is not None:
        perturbation = getattr(report.params, "perturbation", None)
        raise not_finite(wrong, model=report.model.name, perturbation=perturbation)


def not_finite(score: float, *, model: str, perturbation: str | None, what: str = "score") -> NotFinite:
    """Return the error of a network whose score is not a finite number.

    Args:
        score: NaN or infinite.
        model: name of the network.
        perturbation: of the image; None where the image itself is whole.
        what: as for `require_finite`.
    """
    where = f" under the perturbation {perturbation!r}" if perturbation else ""
    others = " or ".join(repr(other) for other in ("blur", "fade") if other != perturbation)
    advice = f"Try perturbation {others}, or another model" if perturbation else "Try another layer or model"
    return NotFinite(
        f"{model} gives the {what} {score}{where}, which is not a finite number. {advice}; a network that divides by "
        "an image's own deviation, say, knows no even image.",
        field="perturbation" if perturbation else "model",
    )


def _numbers(value: Any) -> Iterable[float]:
    """Yield all floats of a dumped report."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)
