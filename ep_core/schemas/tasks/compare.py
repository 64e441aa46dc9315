"""The task `compare`: several methods on one image (figure 2)."""

from __future__ import annotations

from collections.abc import Iterator

from ep_core.schemas.reports.comparison import COMPARISON_FILE, ComparedMethod, CompareReport
from ep_core.schemas.specs import EXTREMAL, CompareSpec

from .extremal import SCRIPTS, TEXT_OF_AREA, bulk_of_masks
from .pictures import MASK, OVERLAY, RESULT_PAGE, SCORE_CURVE, mask_files
from .task import TEXTS, Artifact, Bulk, FileKind, FileName, Files, Place, Task

TEXT_OF_METHOD, TEXT_OF_POINT = 3_072, 512
_MORE_TILES = 4  # the image, and a row that isn't full

_METHOD = FileName(
    parameter="method", description="One of the job's methods.", example="grad_cam", of="method", listed="methods"
)
MAP = Artifact(
    pattern="maps/{method}.png",
    operation="get_map",
    summary="A method's map",
    description="Return what a method's map says for the class, at the image's size, 0 outside of the network's crop.",
    content="8-bit grey: from 0 (or the least value of the map) to its maximum.",
    name=_METHOD,
    absent="compares no methods",
)
HEAT = Artifact(
    pattern="heat/{method}.png",
    operation="get_heat",
    summary="A method's map over the image",
    description="Return a method's map as heat over the image.",
    content="Heat over the image.",
    name=_METHOD,
    absent="compares no methods",
)
ALL_MAPS = Artifact(
    pattern=COMPARISON_FILE,
    operation="get_comparison",
    summary="All methods beside each other",
    description="Return the maps of all methods in one picture (figure 2).",
    content="The image and all maps, as heat over it.",
    key="comparison",
    link="All maps of `compare`, in one picture.",
)


def files(spec: CompareSpec) -> Files:
    """Return the files that the result of a comparison has."""
    masks: Files = {MASK: spec.areas, OVERLAY: spec.areas} if EXTREMAL in spec.methods else {}
    return {ALL_MAPS: (), SCORE_CURVE: (), RESULT_PAGE: (), MAP: spec.methods, HEAT: spec.methods, **masks}


def bulk(spec: CompareSpec, _images: int, _channels: int) -> Iterator[Bulk]:
    """Yield what the files of a comparison take."""
    methods, areas = len(spec.methods), len(spec.areas)
    masks = areas if EXTREMAL in spec.methods else 0
    yield from bulk_of_masks(masks)
    yield Bulk(FileKind.GREY, methods)
    yield Bulk(FileKind.COLOUR, methods)
    yield Bulk(FileKind.TILES, size=methods + _MORE_TILES)
    text = TEXTS + TEXT_OF_AREA * areas + methods * (TEXT_OF_METHOD + TEXT_OF_POINT * areas)
    yield Bulk(FileKind.TEXT, size=text)
    yield Bulk(FileKind.TEXT, size=SCRIPTS + text)
    yield Bulk(FileKind.EMBEDDED_TILES, size=methods)
    yield Bulk(FileKind.EMBEDDED, size=masks)


def places(report: CompareReport) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yield the methods that have a map, and the areas of the extremal masks: other methods' aren't kept."""
    for k, one in enumerate(report.methods):
        if one.unavailable is None:
            yield ("methods", k), {"map": MAP.file(one.method), "overlay": HEAT.file(one.method)}
        for j, point in enumerate(one.curve if one.method == EXTREMAL else ()):
            yield ("methods", k, "curve", j), mask_files(point.area)


TASK = Task(
    name="compare",
    spec=CompareSpec,
    report=CompareReport,
    run="ep_core.engine:run_compare",
    title="Comparison",
    question="Where do several methods look?",
    tab="Compare",
    python="compare",
    artifacts=(MASK, OVERLAY, SCORE_CURVE, MAP, HEAT, ALL_MAPS, RESULT_PAGE),
    has_spatial_masks=True,
    layer="read",
    picture="comparison",
    form=("methods", "areas", "perturbation", "preset", "white_level"),
    files=files,
    bulk=bulk,
    located={
        ComparedMethod: {
            "map": "Its map, 8-bit grey: what is above 0 (or above its least value), relative to its maximum.",
            "overlay": "Its map as heat over the image.",
        }
    },
    places=places,
)
