"""Files that several tasks have: spatial masks, the saliency map and the score curve."""

from __future__ import annotations

from ep_core.schemas.reports.file_names import CURVE, PAGE, REVEAL, SALIENCY, mask_name, overlay_name

from .task import Artifact, FileName

_AREA = FileName(
    parameter="area",
    description="One of the job's areas, compared as a number; or `alternative-1`, `alternative-2`, ... or `contrast`, "
    "where the result has them.",
    example="0.1",
    of="mask",
    listed="areas",
)

MASK = Artifact(
    pattern="masks/{area}.png",
    operation="get_mask",
    summary="Mask",
    description="Return a mask as a grey picture, 255 where the image is kept (with `delete`: removed).",
    content="8-bit grey: 255 is kept.",
    key="masks",
    link="By area.",
    name=_AREA,
    absent="has no spatial masks",
    has_frames=True,
)
OVERLAY = Artifact(
    pattern="overlays/{area}.png",
    operation="get_overlay",
    summary="Overlay",
    description="Return the image with a mask laid over it, scaled down to 2048 pixels where it is larger.",
    content="The image with the mask laid over it.",
    key="overlays",
    link="By area.",
    name=_AREA,
    absent="has no spatial masks",
)
SALIENCY_MAP = Artifact(
    pattern=SALIENCY,
    operation="get_saliency",
    summary="Saliency map",
    description="Return the sum of the masks over all areas; for `channels`, of the optimal mask's channels (eq. 11)."
    "\n\nIt is scaled down to 2048 pixels where the image is larger.",
    content="Heat over the image.",
    key="saliency",
)
SCORE_CURVE = Artifact(
    pattern=CURVE,
    media_type="image/svg+xml",
    operation="get_curve",
    summary="Score curve",
    description="Return the plot of the scores over the areas.",
    content="The scores over the areas, as a plot.",
    key="curve",
)
RESULT_PAGE = Artifact(
    pattern=PAGE,
    media_type="text/html",
    operation="get_result_page",
    summary="Page of the result",
    description="Return one HTML page with the result in it. It opens from disk, without a server or a network.\n\n"
    "Of a sweep: the photograph under its masks with a slider, the scores and what the network says, in pictures of up "
    "to 900 pixels. Of a comparison: the photograph, each method's map and, under one slider, its top areas, and their "
    "scores, in pictures of up to 480 pixels.",
    content="A page with its pictures, styles and scripts in it.",
    key="page",
)
REVEAL_FILM = Artifact(
    pattern=REVEAL,
    media_type="image/webp",
    operation="get_reveal",
    summary="Reveal",
    description="Return an animated WebP: the photograph comes into view, from the smallest area to the largest, again "
    "and again.\n\nIt has up to 480 pixels and at most half a megabyte.",
    content="The photograph under one mask after the other.",
    key="reveal",
)

OF_MASK: dict[str, str | None] = {"mask": None, "overlay": None}
"""Fields of what has a mask: where its pictures are."""


def mask_files(which: float | str) -> dict[str, str]:
    """Return the names of a mask's files by these fields, of an area or the key of another mask."""
    return {"mask": mask_name(which), "overlay": overlay_name(which)}
