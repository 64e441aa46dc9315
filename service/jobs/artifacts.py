"""`/v1/jobs/{id}/...`: the result of a finished job and its pictures. They never change, so clients may cache them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response

from ep_core.schemas.reports.any import AnyReport, Report
from ep_core.schemas.reports.channels import MASKS, SHEET, ChannelMasks, inversion_name
from ep_core.schemas.reports.extremal import (
    CURVE,
    RESULT,
    SALIENCY,
    ExtremalReport,
    area_key,
    mask_name,
    overlay_name,
)
from ep_core.schemas.specs import CompareSpec, spatial_areas
from service.deps import JobsDep, LinksDep, SettingsDep
from service.http.caching import NOT_MODIFIED, IfNoneMatch, immutable_response
from service.http.downloads import one_download
from service.http.errors import InvalidFields, NoResult, NotFound, Unavailable
from service.http.links import BUNDLE, for_bundle
from service.http.media_types import Accept, file_content, negotiate
from service.http.problems import problem_responses
from worker.broker.contract import JobRecord

from .bundle import make_bundle
from .endpoints import JobId
from .examples import REPORTS

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"], dependencies=[Depends(one_download)])

Area = Annotated[
    str,
    Path(
        description="One of the job's areas, compared as a number; or `alternative-1`, `alternative-2`, ... or "
        "`contrast`, where the result has them.",
        examples=["0.1"],
    ),
]
Inversion = Annotated[
    str,
    Path(
        description="`full`, `masked` or `comparison` (task `channels`), or a channel's index (`class_channels`).",
        pattern="^[a-z0-9]{1,16}$",
        examples=["comparison"],
    ),
]
Frame = Annotated[
    Literal["image", "model"],
    Query(
        description="`image`: the original image's pixels, 0 outside the network's crop. `model`: the network's frame."
    ),
]


class Artifacts:
    """The stored files of one finished job, as answers."""

    def __init__(
        self,
        job_id: JobId,
        jobs: JobsDep,
        settings: SettingsDep,
        if_none_match: IfNoneMatch = None,
        accept: Accept = None,
    ) -> None:
        self._jobs = jobs
        self._if_none_match = if_none_match
        self._accept = accept
        self._max_age_s = settings.retention_s
        self.record: JobRecord = jobs.get_finished(job_id)

    def mask(self, text: str) -> float | str:
        """Return the area that `text` names, or the key of another of the result's masks, as `mask_name` takes it.

        Raises:
            NotFound: the result has no such mask, or its task has no spatial ones.
        """
        areas = spatial_areas(self.record.params)
        if not areas:
            task = self.record.params.task
            raise NotFound(f"This job, of the task {task}, has no spatial masks: its `links` name what it has.")
        for area in areas:
            if _same_number(text, area):
                return area
        report = self.report()
        named = list(report.named_masks) if isinstance(report, ExtremalReport) else []
        if text in named:
            return text
        others = f"; beside these it has {', '.join(named)}" if named else ""
        listed = ", ".join(map(area_key, areas))
        raise NotFound(f"The job has no mask {text[:32]}: its areas are {listed}{others}.", areas=areas, others=named)

    def method(self, name: str) -> str:
        """Return the job's method that `name` is.

        Raises:
            NotFound: its task compares no methods, or not this one.
        """
        params = self.record.params
        if not isinstance(params, CompareSpec):
            raise NotFound(f"A job of the task {params.task} compares no methods: its `links` name what it has.")
        if name not in params.methods:
            raise NotFound(f"The job has no method {name[:32]}: its methods are {', '.join(params.methods)}.")
        return name

    def file(self, name: str) -> bytes:
        """Return a stored file.

        Raises:
            NotFound: the job has no such file.
        """
        return self._jobs.artifact(self.record.id, name)

    def report(self) -> Report:
        """Return the stored report.

        Raises:
            NotFound: the job has none.
            NoResult: it can't be read.
        """
        return self._jobs.report(self.record.id)

    def all_files(self) -> dict[str, bytes]:
        """Return all stored files by name, the posted image left out."""
        files = {name: self.file(name) for name in self._jobs.artifact_names(self.record.id)}
        return files | {RESULT: for_bundle(self.report()).model_dump_json(indent=2).encode()}

    def respond(self, content: bytes, media_type: str, *, filename: str | None = None) -> Response:
        """Return the answer that carries the file `content`."""
        return negotiate(self._respond(content, media_type, filename=filename), self._accept)

    def respond_json(self, content: bytes) -> Response:
        """Return the answer that carries the JSON text `content`."""
        return self._respond(content, "application/json")

    def _respond(self, content: bytes, media_type: str, *, filename: str | None = None) -> Response:
        return immutable_response(
            content, media_type, if_none_match=self._if_none_match, max_age_s=self._max_age_s, filename=filename
        )


ArtifactsDep = Annotated[Artifacts, Depends()]


def file_responses(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's description of responses that carry a file."""
    return _responses(description, file_content(media_type))


def json_responses(description: str, **content: Any) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's description of responses that carry JSON, beside its schema."""
    return _responses(description, {"application/json": content})


def _responses(description: str, content: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"description": description, "content": content},
        304: NOT_MODIFIED,
        **problem_responses(NotFound, NoResult, InvalidFields, Unavailable),
    }


@router.get(
    "/result",
    summary="Result",
    response_model=AnyReport,
    responses=json_responses("Scores, curve and optimal area.", examples=REPORTS),
)
def get_result(artifacts: ArtifactsDep, links: LinksDep) -> Response:
    """Return the scores, the curve over the areas, the optimal area, and the links to the pictures."""
    report = links.into(artifacts.report(), artifacts.record.id)
    return artifacts.respond_json(report.model_dump_json().encode())


@router.get(
    "/masks/{area}.png",
    summary="Mask",
    response_class=Response,
    responses=file_responses("image/png", "8-bit grey: 255 is kept."),
)
def get_mask(artifacts: ArtifactsDep, area: Area, frame: Frame = "image") -> Response:
    """Return a mask as a grey picture, 255 where the image is kept (with `delete`: taken away)."""
    return artifacts.respond(artifacts.file(mask_name(artifacts.mask(area), frame=frame)), "image/png")


@router.get(
    "/overlays/{area}.png",
    summary="Overlay",
    response_class=Response,
    responses=file_responses("image/png", "The image with the mask laid over it."),
)
def get_overlay(artifacts: ArtifactsDep, area: Area) -> Response:
    """Return the image with a mask laid over it, scaled down to 2048 pixels where it is larger."""
    return artifacts.respond(artifacts.file(overlay_name(artifacts.mask(area))), "image/png")


@router.get(
    "/inversions/{name}.png",
    summary="Inversion",
    response_class=Response,
    responses=file_responses("image/png", "An image that excites the layer, or one of its channels."),
)
def get_inversion(artifacts: ArtifactsDep, name: Inversion) -> Response:
    """Return an inversion (eq. 12) of a job on channels, if inversions were requested."""
    return artifacts.respond(artifacts.file(inversion_name(name)), "image/png")


@router.get(
    f"/{MASKS}",
    summary="Channel masks",
    response_model=ChannelMasks,
    responses=json_responses("`masks`: K values for each of `areas`."),
)
def get_channel_masks(artifacts: ArtifactsDep) -> Response:
    """Return the masks of a job of the task `channels`: a value in [0, 1] per channel, for each count."""
    return artifacts.respond_json(artifacts.file(MASKS))


@router.get(
    f"/{SHEET}",
    summary="Top channels",
    response_class=Response,
    responses=file_responses(
        "image/png", "A row for each top channel: its inversion, and the images that excite it most."
    ),
)
def get_sheet(artifacts: ArtifactsDep) -> Response:
    """Return the top channels of a class in one picture (task `class_channels`)."""
    return artifacts.respond(artifacts.file(SHEET), "image/png")


@router.get(
    f"/{SALIENCY}",
    summary="Saliency map",
    response_class=Response,
    responses=file_responses("image/png", "Heat over the image."),
)
def get_saliency(artifacts: ArtifactsDep) -> Response:
    """Return the sum of the masks over all areas; for `channels`, of the optimal mask's channels (eq. 11).

    It is scaled down to 2048 pixels where the image is larger.
    """
    return artifacts.respond(artifacts.file(SALIENCY), "image/png")


@router.get(
    f"/{CURVE}",
    summary="Score curve",
    response_class=Response,
    responses=file_responses("image/svg+xml", "The scores over the areas, as a plot."),
)
def get_curve(artifacts: ArtifactsDep) -> Response:
    """Return the plot of the scores over the areas."""
    return artifacts.respond(artifacts.file(CURVE), "image/svg+xml")


@router.get(
    f"/{BUNDLE}",
    summary="Everything in one file",
    response_class=Response,
    responses=file_responses("application/zip", "result.json, curve.svg, saliency.png, masks/ and overlays/."),
)
def get_bundle(artifacts: ArtifactsDep) -> Response:
    """Return the result and all pictures as a zip file."""
    content = make_bundle(artifacts.all_files(), made_at=artifacts.record.finished_at)
    return artifacts.respond(content, "application/zip", filename=f"explanation-{artifacts.record.id[:8]}.zip")


def _same_number(text: str, area: float) -> bool:
    try:
        return float(text) == area
    except ValueError:
        return False
