"""The task `extremal`: spatial masks of one image (section 3)."""

from __future__ import annotations

from collections.abc import Iterator

from ep_core.schemas.reports.extremal import Alternative, Contrast, CurvePoint, ExtremalReport
from ep_core.schemas.reports.file_names import CONTRAST_KEY, alternative_key
from ep_core.schemas.specs import ExtremalSpec

from .pictures import MASK, OF_MASK, OVERLAY, RESULT_PAGE, REVEAL_FILM, SALIENCY_MAP, SCORE_CURVE, mask_files
from .task import TEXTS, Bulk, FileKind, Files, Place, Task

TEXT_OF_AREA = 1_536
SCRIPTS = 131_072  # and styles of a page
TEXT_OF_PREDICTIONS = 2_048  # ten classes, labels of a hundred letters


def files(spec: ExtremalSpec) -> Files:
    """Return the files that the result of a sweep has."""
    single = dict.fromkeys((SALIENCY_MAP, SCORE_CURVE, RESULT_PAGE, REVEAL_FILM), ())
    return {**single, MASK: spec.areas, OVERLAY: spec.areas}


def bulk_of_masks(count: int) -> list[Bulk]:
    """Return what the pictures of so many masks take: in the frame, on the image, laid over it."""
    return [Bulk(kind, count) for kind in (FileKind.MASK_IN_FRAME, FileKind.MASK_ON_IMAGE, FileKind.COLOUR)]


def bulk(spec: ExtremalSpec, _images: int, _channels: int) -> list[Bulk]:
    """Return what the files of a sweep take."""
    masks = len(spec.areas) + spec.alternatives + spec.contrast
    text = Bulk(FileKind.TEXT, size=TEXTS + TEXT_OF_AREA * len(spec.areas) + TEXT_OF_PREDICTIONS * (1 + masks))
    page = [Bulk(FileKind.TEXT, size=SCRIPTS + text.size), Bulk(FileKind.EMBEDDED, size=masks)]
    return [*bulk_of_masks(masks), Bulk(FileKind.COLOUR), Bulk(FileKind.FILM), text, *page]


def places(report: ExtremalReport) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yield what of a report has a mask: the areas, the alternatives, the contrast."""
    for k, point in enumerate(report.curve):
        yield ("curve", k), mask_files(point.area)
    for k, _ in enumerate(report.alternatives):
        yield ("alternatives", k), mask_files(alternative_key(k))
    if report.contrast is not None:
        yield ("contrast",), mask_files(CONTRAST_KEY)


TASK = Task(
    name="extremal",
    spec=ExtremalSpec,
    report=ExtremalReport,
    run="ep_core.engine:run_extremal",
    title="Masks",
    question="Which part of the image is enough?",
    tab="Where",
    python="explain",
    artifacts=(MASK, OVERLAY, SALIENCY_MAP, SCORE_CURVE, RESULT_PAGE, REVEAL_FILM),
    has_spatial_masks=True,
    picture="saliency",
    form=("areas", "variant", "perturbation", "preset", "white_level"),
    files=files,
    bulk=bulk,
    located={CurvePoint: OF_MASK, Alternative: OF_MASK, Contrast: OF_MASK},
    places=places,
)
