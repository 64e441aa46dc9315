"""Findings in a sentence or two."""

from __future__ import annotations

from typing import Any

from extremal_client.generated.schemas import (
    Classified,
    CompareReport,
    Coverage,
    ExtremalReport,
    JobRead,
    Scores,
)
from extremal_client.progress import fraction_of, words_of
from extremal_client.results import Channels, ClassChannels, Comparison, Explanation, Result

NEARLY_ALL = 0.999


def finding(result: Result[Any]) -> str:
    """Return what a result says, with its warnings."""
    warnings = [f"Warning: {one['detail']}" for one in result.document.get("warnings", [])]
    return " ".join([_found(result), *warnings])


def unfinished(job: JobRead) -> str:
    """Return how far a job is, and how to go on."""
    done = f"{words_of(job)}, {fraction_of(job):.0%}"
    return f'The job {job.id} is not finished ({done}): call get_result with job "{job.id}".'


def seen(found: Classified) -> str:
    """Return the classes that a model sees."""
    classes = (
        f"{one.label} ({one.score:.2f})" if one.probability is None else f"{one.label} ({one.probability:.1%})"
        for one in found.classes
    )
    warnings = [f"Warning: {one.detail}" for one in found.warnings]
    return " ".join([f"{found.model} sees {', '.join(classes)}.", *warnings])


def _found(result: Result[Any]) -> str:
    match result:
        case Explanation():
            return f"{_score(result)} {_sufficient(result)}"
        case Comparison():
            return f"{_score(result)} {_compared(result)}"
        case Channels(optimal_area=None):
            return f"{_score(result)} No count of channels of {result.layer.name} reaches the threshold."
        case Channels():
            part = f"{result.optimal_area} of the {result.layer.channels} channels of {result.layer.name}"
            return f"{_score(result)} With {part}, the threshold is reached (a*)."
        case ClassChannels():
            channels = ", ".join(str(one.channel) for one in result.channels)
            return f"Of {result.layer.name}, {result.target.label!r} needs these channels most: {channels}."
    return "The job has succeeded."


def _score(result: Any) -> str:
    probability = result.scores.original_probability
    shown = "" if probability is None else f" (probability {probability:.3f})"
    return f"{result.target.label!r} scores {result.scores.original:.2f}{shown} in {result.model.name}."


def _sufficient(report: ExtremalReport) -> str:
    """Return what a* means, as the objective and the threshold's rule have it."""
    scores, variant = report.scores, report.params.get("variant", "preserve")
    if scores.threshold_rule == "none":
        return f"There is no threshold: the fully perturbed image scores no less ({scores.perturbed:.2f})."
    level = _level(scores, report.params.get("threshold", 1.0))
    if report.optimal_area is None:
        way = "removes enough of it" if variant == "delete" else f"keeps {level}"
        return f"No area of the sweep {way}: ask for larger areas, or a lower threshold."
    part = f"{report.optimal_area:.1%} of {_whole(report.coverage)}"
    point = next(point for point in report.curve if point.area == report.optimal_area)
    if variant == "delete":
        return f"Without {part} (a*), the score falls to {point.delete:.2f}, which is {level}."
    return f"{part} (a*) suffices for {level}: with only that kept, it scores {point.preserve:.2f}."


def _level(scores: Scores, tau: float) -> str:
    """Return the threshold in words."""
    if scores.threshold_rule == "way-down":
        return f"{tau:g} of the way down to that of the fully perturbed image"
    if tau == 1:
        return "the whole score"
    return f"{tau:g} of {'the way up to ' if scores.threshold_rule == 'between' else ''}that score"


def _compared(report: CompareReport) -> str:
    """Return what each method's top area keeps, at a* or in the middle of the sweep, the best first."""
    areas = sorted({point.area for one in report.methods for point in one.curve})
    if not areas:
        return "No method can explain this model."
    area = report.optimal_area if report.optimal_area in areas else areas[len(areas) // 2]
    named = [(one.title or one.method, point) for one in report.methods for point in one.curve]
    kept = sorted(((point.preserve, title) for title, point in named if point.area == area), reverse=True)
    methods = ", ".join(f"{score:.2f} by {title}" for score, title in kept)
    return f"With the top {area:.1%} of {_whole(report.coverage)} kept, it scores {methods}."


def _whole(coverage: Coverage | None) -> str:
    """Return what areas are shares of."""
    if coverage is not None and coverage.frame < NEARLY_ALL:
        return "the padded image"
    return "the image" if coverage is not None and coverage.image >= NEARLY_ALL else "what the network sees"
