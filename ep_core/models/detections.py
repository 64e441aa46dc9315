"""Detections of one image, for people: the class at a box, and what there is."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from .detector import Detections, overlaps
from .frame import Box, Frame

MAX_LISTED = 5
LEAST_CONFIDENCE = 0.05  # of a detection that is listed
SAME = 0.5
"""IoU from which two detections of a class are one object."""


def at(box: Box) -> str:
    """Return a box in words: ``at 40, 60, 320, 400``."""
    return f"at {', '.join(f'{edge:.5g}' for edge in box)}"


def best_class(found: Detections, box: Box) -> int:
    """Return the class of the detection of one image that matches a box best (`Detections.matches`)."""
    return max(range(found.scores.shape[2]), key=lambda index: float(found.matches(box, index).max()))


def listed(found: Detections, labels: Sequence[str], frame: Frame) -> str:
    """Return the best detections of one image in words, each object once: label, confidence, box on the image."""
    said = [
        f"{labels[index]} {confidence:.2f} {at(_rounded(frame.box_on_image(_box(edges))))}"
        for index, confidence, edges in _objects(found)
    ]
    return "; ".join(said) or "nothing"


def _objects(found: Detections) -> list[tuple[int, float, Tensor]]:
    """Return class, confidence and box of the best detections of one image, the best first."""
    best, classes = found.scores[0].max(dim=1)
    kept: list[tuple[int, float, Tensor]] = []
    for query in best.argsort(descending=True).tolist():
        index, confidence = int(classes[query]), float(best[query].sigmoid())
        if len(kept) == MAX_LISTED or confidence < LEAST_CONFIDENCE:
            break
        edges = found.of_class(index)[0][0, query]
        if not any(index == other and overlaps(edges, box) >= SAME for other, _, box in kept):
            kept.append((index, confidence, edges))
    return kept


def _box(edges: Tensor) -> Box:
    left, top, right, bottom = edges.tolist()
    return left, top, right, bottom


def _rounded(box: Box) -> Box:
    left, top, right, bottom = (float(round(edge)) for edge in box)
    return left, top, right, bottom
